import type { Socket } from 'node:net'
import type { RejectError } from '../agent-types.js'
import type { Throttle } from '../players/throttle.js'

/** Bytes read from `near` and from the connection; each was handed to the other at once. */
export interface SpliceCounts {
  fromNear: number
  fromFar: number
}

export type SpliceEnd = 'end' | 'reset' | 'cut'

export interface JoinOptions {
  /** Sees each amount as it passes; for totals that are read while the connection lives. */
  onBytes?: (fromNear: number, fromFar: number) => void
  /** Once, when `near` is closed. */
  onClose: (reason: SpliceEnd, counts: SpliceCounts) => void
  /** Bounds on what comes from each side, shared with others. Their rates may change at any time. */
  throttles?: { fromNear: Throttle; fromFar: Throttle }
}

/** One player's time on a data connection. */
export interface Exchange {
  /** Called once, when either side breaks it off or the connection is lost. */
  onBroken?: (() => void) | undefined
  /** Agent: the target is reached. */
  accept(): void
  /** Agent: instead of `accept`; no `join`. */
  refuse(error: RejectError): void
  /** Relay, before `join`: goes in front of what the player says and is not counted. */
  send(bytes: Buffer): void
  /**
   * Passes bytes between `near` (made with `allowHalfOpen: true`) and the connection from now on, and takes `near` over: bytes already
   * read must have been unshifted. An end on one side is passed on when all before it is written, and the other direction goes
   * on; a reset on one side resets the other; a side that is slow holds back the other by TCP's own window. Agent: after `accept`.
   */
  join(near: Socket, options: JoinOptions): void
  /** Breaks it off: `near` is reset, and so is the other end's. */
  cut(): void
}

export interface StartHandlers {
  onAccept: () => void
  /** The agent cannot serve this player. `near` is destroyed afterwards. */
  onRefuse: (error: RejectError) => void
}

/** What an exchange needs of the connection it is on. */
export interface Carrier {
  readonly flushTimeoutMs: number
  /** More waits to be sent than should. */
  readonly blocked: boolean
  sendFrame(type: number, payload?: Buffer): void
  /** The `headroom` bytes in front may be written to. False: `bytes` are still needed, until `onDrain` when `told`. */
  sendChunk(bytes: Buffer, headroom: number, told: boolean): boolean
  resume(): void
  hold(): void
  /** Both directions are closed. `needed`: of what was passed on, some is still to be sent. */
  settled(needed: boolean): void
  destroy(): void
}
