/** Longest Authorization header that is looked at, in characters. */
const maxAuthorizationLength = 8_192
/** RFC 9110 section 11.4: a scheme, a space, and credentials of visible characters. */
const authorizationPattern = /^([!#$%&'*+.^_`|~\w-]{1,64}) +(?=[!-~])[ -~]*$/

export type AuthorizationHeader =
  | { readonly kind: 'absent' }
  | { readonly kind: 'malformed' }
  /** `scheme` in lower case. */
  | { readonly kind: 'present'; readonly scheme: string }

/** Reads the scheme of an Authorization header. More than one header is malformed. */
export function readAuthorization(header: string | string[] | undefined): AuthorizationHeader {
  if (header === undefined) return { kind: 'absent' }
  const value = Array.isArray(header) ? (header.length === 1 ? header[0] : undefined) : header
  if (value === undefined || value.length > maxAuthorizationLength) return { kind: 'malformed' }
  const scheme = authorizationPattern.exec(value)?.[1]
  return scheme === undefined ? { kind: 'malformed' } : { kind: 'present', scheme: scheme.toLowerCase() }
}
