const uuidExpression = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** Whether Postgres takes it for a `uuid` (RFC 9562 section 4): asked before an id from outside meets the database. */
export function isUuid(text: string): boolean {
  return uuidExpression.test(text)
}
