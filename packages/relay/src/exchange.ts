import type { Socket } from 'node:net'
import type { RejectError } from './agent-types.js'
import { FRAME_HEADER_BYTES } from './frame.js'
import { encodeMessage, FrameType } from './protocol.js'
import { readSocket, type SocketReader } from './socket-reader.js'
import { writeBytes } from './socket-writer.js'
import type { Throttle, Turn } from './throttle.js'

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
  /** Agent: the target is reached. */
  accept(): void
  /** Agent: instead of `accept`; no `join`. */
  refuse(error: RejectError): void
  /** Relay, before `join`: goes in front of what the player says and is not counted. */
  send(bytes: Buffer): void
  /**
   * Passes bytes between `near` (made with `allowHalfOpen: true`) and the connection from now on, and takes `near` over: bytes already
   * read must have been unshifted. An end on one side is passed on when all before it is written, and the other direction goes
   * on; a reset on one side resets the other; a side that is slow holds back the other by TCP's own window.
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
  /** Both directions are closed. */
  settled(): void
  destroy(): void
}

/** Why one side is not read. */
const DRAIN = 1
const TURN = 2
const JOIN = 4

export class RunningExchange implements Exchange {
  readonly #carrier: Carrier
  readonly #handlers: StartHandlers | undefined
  readonly #counts: SpliceCounts = { fromNear: 0, fromFar: 0 }
  #out: 'pending' | 'open' | 'closed'
  #in: 'answer' | 'open' | 'closed'
  #settled = false
  #broken = false
  #near: Socket | undefined
  #nearReader: SocketReader | undefined
  #options: JoinOptions | undefined
  #reason: SpliceEnd = 'end'
  #nearWaits = JOIN
  #farWaits = JOIN
  #nearTurn: Turn | undefined
  #farTurn: Turn | undefined
  #onGone: (() => void) | undefined

  /** With handlers: the relay's side. */
  constructor(carrier: Carrier, handlers?: StartHandlers) {
    this.#carrier = carrier
    this.#handlers = handlers
    this.#out = handlers === undefined ? 'pending' : 'open'
    this.#in = handlers === undefined ? 'open' : 'answer'
  }

  accept(): void {
    if (this.#out !== 'pending') return
    this.#out = 'open'
    this.#carrier.sendFrame(FrameType.ACCEPT)
    this.#nearReader?.resume()
  }

  refuse(error: RejectError): void {
    if (this.#out !== 'pending') return
    this.#broken = true
    this.#close(FrameType.REFUSE, encodeMessage({ error }))
    this.#discard()
  }

  send(bytes: Buffer): void {
    if (this.#out === 'open') this.#carrier.sendChunk(bytes, 0, false)
  }

  join(near: Socket, options: JoinOptions): void {
    this.#near = near
    this.#options = options
    near.on('error', () => this.#break('reset'))
    near.on('close', this.#onNearClose)
    if (near.destroyed || this.#broken) {
      this.#reason = 'reset'
      this.#break('reset')
      near.destroy()
      // Its 'close' may have been before.
      if (near.closed) queueMicrotask(this.#onNearClose)
      return
    }
    near.on('drain', this.#onNearDrain)
    this.#nearReader = readSocket(near, FRAME_HEADER_BYTES, (bytes, kept) => this.#fromNear(bytes, kept), this.#onNearEnd)
    if (this.#in === 'closed') near.end()
    this.#resumeFar(JOIN)
    this.#resumeNear(JOIN)
  }

  cut(): void {
    this.#break('cut')
  }

  // What the connection tells.

  /** False: out of place. */
  onFrame(type: number, error: RejectError | undefined): boolean {
    if (this.#in === 'closed') return false
    if (this.#in === 'answer' && type === FrameType.ACCEPT) {
      this.#in = 'open'
      if (!this.#broken) this.#handlers?.onAccept()
      return true
    }
    if (this.#in === 'answer' && type === FrameType.REFUSE && error !== undefined) {
      this.#in = 'closed'
      if (!this.#broken) this.#handlers?.onRefuse(error)
      this.#near?.destroy()
      this.#break('reset')
      this.#settle()
      return true
    }
    if (type === FrameType.ABORT) {
      this.#in = 'closed'
      this.#break('reset')
      this.#settle()
      return true
    }
    if (type !== FrameType.END || this.#in !== 'open') return false
    this.#in = 'closed'
    if (!this.#broken) this.#near?.end()
    this.#settle()
    return true
  }

  /** How many of them are dealt with, or undefined when they are out of place. */
  onChunk(bytes: Buffer, kept: boolean): number | undefined {
    if (this.#in !== 'open') return undefined
    if (this.#broken) return bytes.length
    const near = this.#near
    if (near === undefined) return 0
    let passing = bytes
    const throttle = this.#options?.throttles?.fromFar
    if (throttle !== undefined && throttle.rate !== 0) {
      this.#farTurn ??= () => this.#resumeFar(TURN)
      const passed = throttle.take(bytes.length, this.#farTurn)
      if (passed < bytes.length) {
        this.#farWaits |= TURN
        passing = bytes.subarray(0, passed)
      }
    }
    if (passing.length === 0) return 0
    this.#counts.fromFar += passing.length
    this.#options?.onBytes?.(0, passing.length)
    const goesOn = writeBytes(near, passing, !kept, this.#onNearDrain)
    if (!goesOn) {
      this.#farWaits |= DRAIN
      this.#carrier.hold()
    }
    return passing.length
  }

  onDrain(): void {
    this.#resumeNear(DRAIN)
  }

  /** The connection is gone. `done` is called when `near` is, too. */
  onLost(done: () => void): void {
    const { closed = true } = this.#near ?? {}
    if (!closed) this.#onGone = done
    this.#in = 'closed'
    this.#out = 'closed'
    this.#settled = true
    this.#break('reset')
    if (closed) done()
  }

  // What near tells.

  #fromNear(bytes: Buffer, kept: boolean): number {
    if (this.#out === 'closed') return bytes.length
    if (this.#out === 'pending') return 0
    let passing = bytes
    const throttle = this.#options?.throttles?.fromNear
    if (throttle !== undefined && throttle.rate !== 0) {
      this.#nearTurn ??= () => this.#resumeNear(TURN)
      const passed = throttle.take(bytes.length, this.#nearTurn)
      if (passed < bytes.length) {
        this.#nearWaits |= TURN
        passing = bytes.subarray(0, passed)
      }
    }
    if (passing.length === 0) return 0
    this.#counts.fromNear += passing.length
    this.#options?.onBytes?.(passing.length, 0)
    const goesOn = this.#carrier.sendChunk(passing, this.#nearReader?.headroom ?? 0, !kept)
    if (!goesOn) {
      this.#nearWaits |= DRAIN
      this.#nearReader?.hold()
    }
    return passing.length
  }

  readonly #onNearDrain = (): void => {
    // Told of one write of several.
    if (this.#near?.writableLength === 0) this.#resumeFar(DRAIN)
  }

  readonly #onNearEnd = (): void => {
    if (this.#out === 'open') this.#close(FrameType.END)
  }

  readonly #onNearClose = (): void => {
    const near = this.#near
    const options = this.#options
    if (near === undefined || options === undefined) return
    this.#near = undefined
    if (this.#nearTurn !== undefined) options.throttles?.fromNear.leave(this.#nearTurn)
    if (this.#farTurn !== undefined) options.throttles?.fromFar.leave(this.#farTurn)
    if (!near.readableEnded || !near.writableFinished) this.#break('reset')
    options.onClose(this.#reason, this.#counts)
    this.#onGone?.()
  }

  #resumeNear(why: number): void {
    this.#nearWaits &= ~why
    if (this.#nearWaits === 0) this.#nearReader?.resume()
  }

  #resumeFar(why: number): void {
    this.#farWaits &= ~why
    if (this.#farWaits === 0 && !this.#settled) this.#carrier.resume()
  }

  #break(why: SpliceEnd): void {
    if (this.#reason === 'end') this.#reason = why
    const near = this.#near
    if (near !== undefined) reset(near)
    if (this.#broken || this.#settled) return
    this.#broken = true
    if (this.#out !== 'closed') {
      // Behind what cannot be sent the other end would not hear of it.
      if (this.#carrier.blocked) return this.#carrier.destroy()
      this.#close(FrameType.ABORT)
    }
    this.#discard()
  }

  #close(type: number, payload?: Buffer): void {
    this.#out = 'closed'
    this.#carrier.sendFrame(type, payload)
    this.#settle()
  }

  #discard(): void {
    if (!this.#settled) this.#carrier.resume()
  }

  #settle(): void {
    if (this.#settled || this.#in !== 'closed' || this.#out !== 'closed') return
    this.#settled = true
    const near = this.#near
    // It may still have something to send, as long as it gets on with it.
    if (near !== undefined && !near.destroyed) near.setTimeout(this.#carrier.flushTimeoutMs, () => this.#break('reset'))
    this.#carrier.settled()
  }
}

function reset(socket: Socket): void {
  if (socket.destroyed) return
  // Node waits for a connect before it resets.
  if (socket.connecting) socket.destroy()
  else socket.resetAndDestroy()
}
