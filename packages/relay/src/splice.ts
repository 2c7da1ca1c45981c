import type { Socket } from 'node:net'
import { forward } from './forward.js'
import type { Throttle } from './throttle.js'

/** Bytes read from `near` and from `far`; each was handed to the other at once. */
export interface SpliceCounts {
  fromNear: number
  fromFar: number
}

export type SpliceEnd = 'end' | 'reset' | 'cut'

export interface SpliceOptions {
  /** Sees each amount as it passes; for totals that are read while the connection lives. */
  onBytes?: (fromNear: number, fromFar: number) => void
  onClose: (reason: SpliceEnd, counts: SpliceCounts) => void
  /** See RelayLimits. */
  flushTimeoutMs: number
  /** Bounds on what comes from each side, shared with others. Their rates may change at any time. */
  throttles?: { fromNear: Throttle; fromFar: Throttle }
}

export interface Splice {
  readonly counts: SpliceCounts
  /** Breaks both sides off with RST, so that neither takes what it has for the whole. */
  cut(): void
}

/**
 * Joins two connected sockets made with `allowHalfOpen: true`. An end on one side is passed on when all before it is written, and the
 * other direction goes on; a reset on one side resets the other; a side that is slow holds back the other by TCP's own window, with
 * no more than Node's high-water mark between them. Takes the sockets over: bytes already read must have been unshifted.
 */
export function splice(near: Socket, far: Socket, options: SpliceOptions): Splice {
  const counts: SpliceCounts = { fromNear: 0, fromFar: 0 }
  let reason: SpliceEnd = 'end'
  let open = 2

  const cut = (why: SpliceEnd) => {
    if (open === 0) return
    if (reason === 'end') reason = why
    reset(near)
    reset(far)
  }
  const closed = () => {
    open -= 1
    if (open === 0) options.onClose(reason, counts)
  }
  const join = (from: Socket, to: Socket, throttle: Throttle | undefined, count: (bytes: number) => void) => {
    forward(from, to, count, throttle)
    from.on('error', () => cut('reset'))
    from.on('close', () => {
      closed()
      if (to.destroyed) return
      // Closed after both ends: the other may still have something to send, as long as it gets on with it.
      if (from.readableEnded && from.writableFinished) to.setTimeout(options.flushTimeoutMs, () => cut('reset'))
      else cut('reset')
    })
  }
  join(near, far, options.throttles?.fromNear, (bytes) => {
    counts.fromNear += bytes
    options.onBytes?.(bytes, 0)
  })
  join(far, near, options.throttles?.fromFar, (bytes) => {
    counts.fromFar += bytes
    options.onBytes?.(0, bytes)
  })

  if (near.destroyed || far.destroyed) {
    // Whichever is gone tells nobody any more: its 'close' may have been before.
    open -= Number(near.closed) + Number(far.closed)
    reason = 'reset'
    near.destroy()
    far.destroy()
    if (open === 0) queueMicrotask(() => options.onClose(reason, counts))
  } else {
    near.resume()
    far.resume()
  }
  return { counts, cut: () => cut('cut') }
}

function reset(socket: Socket): void {
  // Node waits for a connect before it resets.
  if (socket.connecting) socket.destroy()
  else socket.resetAndDestroy()
}
