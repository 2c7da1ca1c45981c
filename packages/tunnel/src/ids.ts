const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i
const number = /^[1-9][0-9]{0,15}$/

/** Whether the database would take it as the id of a device or of a token: a UUID. */
export function isDeviceId(text: string): boolean {
  return uuid.test(text)
}

/** The id of an allocation in a URL, or `undefined`. */
export function parseAllocationId(text: string): number | undefined {
  const value = number.test(text) ? Number(text) : undefined
  return value !== undefined && Number.isSafeInteger(value) ? value : undefined
}
