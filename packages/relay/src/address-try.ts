/**
 * For `net.connect` and what is built on it. Of a host of several addresses, each but the last is tried this long, and given up for the next. Node's
 * 250 ms would shut out whoever is farther away than that, or loses a first packet (TCP sends it again after a second), and has no IPv6.
 */
export const ADDRESS_TRY: { readonly autoSelectFamilyAttemptTimeout: number } = Object.freeze({
  autoSelectFamilyAttemptTimeout: 1_500,
})
