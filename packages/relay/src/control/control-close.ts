import { ControlCloseCode } from './control.js'
import type { ControlEnd } from './control-refusal.js'
import { describeNetworkError } from './network-failure.js'

export type LostEnd = Extract<ControlEnd, { kind: 'lost' }>

/** RFC 6455 section 7.4.1. */
const NO_CLOSE_FRAME = 1006

/**
 * What the close of a connection to the panel means.
 * @param waiting the panel has said that tunnels are switched off
 * @param failure what was seen before the close
 */
export function judgeClose(code: number, waiting: boolean, failure: LostEnd | undefined): ControlEnd {
  if (waiting) return { kind: 'waiting' }
  if (code === ControlCloseCode.badToken) {
    return { kind: 'refused', reason: 'bad_token', detail: 'the panel does not take the token' }
  }
  if (code === ControlCloseCode.revoked) {
    return { kind: 'refused', reason: 'revoked', detail: 'the panel has revoked this device' }
  }
  if (code === ControlCloseCode.replaced) return { kind: 'replaced' }
  if (failure) return failure
  if (code === ControlCloseCode.goingAway) {
    return { kind: 'lost', reason: 'going_away', detail: 'the panel is going away' }
  }
  const detail = code === NO_CLOSE_FRAME ? 'the connection broke off' : `the connection was closed (${code})`
  return { kind: 'lost', reason: 'closed', detail }
}

/** ws reports a bad handshake or frame with a plain Error or a WS_ERR code, everything else comes from the socket. */
export function judgeSocketError(error: Error): LostEnd {
  const code = (error as { code?: unknown }).code
  if (code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH') {
    return { kind: 'lost', reason: 'too_large', detail: 'the panel sent a message that is too large' }
  }
  if (typeof code === 'string' && code.startsWith('WS_ERR_')) {
    return { kind: 'lost', reason: 'bad_message', detail: `the panel broke the WebSocket protocol (${code})` }
  }
  if (code === undefined && !('errors' in error)) {
    return { kind: 'lost', reason: 'not_a_panel', detail: 'the answer was no WebSocket handshake' }
  }
  return { kind: 'lost', ...describeNetworkError(error) }
}
