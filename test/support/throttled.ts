import type { Test } from 'tap'
import type { Reply } from './raw-client.js'

/** Expects 429 with the seconds to wait. */
export function isThrottled(t: Test, { status, headers, body }: Reply, name: string): void {
  t.equal(status, 429, name)
  t.match(headers['retry-after'], /^[1-9]\d*$/, `${name}: Retry-After`)
  t.match(body, { status: 429, error: String, requestId: String }, `${name}: problem document`)
}
