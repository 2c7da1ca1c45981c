const pattern = /^bearer +([A-Za-z0-9\-._~+/]+=*) *$/i

/** The token of an `Authorization: Bearer` header (RFC 6750 section 2.1), or `undefined`. */
export function bearerToken(headers: Readonly<Record<string, string | string[] | undefined>>): string | undefined {
  const header = headers['authorization']
  return typeof header === 'string' ? pattern.exec(header)?.[1] : undefined
}
