// Relays are told of by one panel and dialled by tickets of another. Both go by the database's clock: their own may differ.

/** What the column `clock_offset` holds, 24 days. A relay that is further off gets no ticket that counts. */
const maxOffsetMs = 2 ** 31 - 1
const databaseMs = '(extract(epoch FROM clock_timestamp()) * 1000)::float8'

/**
 * SQL: how far a clock is ahead of the database's, in milliseconds.
 * @param ahead how far it is ahead of this process's
 * @param now parameter with this process's `Date.now()`
 */
export function aheadOfDatabase(ahead: string, now: `$${number}`): string {
  return `GREATEST(-${maxOffsetMs}, LEAST(${maxOffsetMs}, ${ahead} + ${now}::float8 - ${databaseMs}))::integer`
}

/** SQL, the other way round: how far it is ahead of this process's. */
export function aheadOfProcess(ahead: string, now: `$${number}`): string {
  return `(${ahead} + ${databaseMs} - ${now}::float8)::float8`
}
