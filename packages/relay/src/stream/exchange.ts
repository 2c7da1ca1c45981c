import type { Socket } from 'node:net'
import type { RejectError } from '../agent-types.js'
import { FRAME_HEADER_BYTES } from '../link/frame.js'
import { encodeMessage, FrameType, parseRefuse } from '../link/protocol.js'
import { wasReset } from './end-or-reset.js'
import type { Carrier, Exchange, JoinOptions, SpliceCounts, SpliceEnd, StartHandlers } from './exchange-types.js'
import { FlowGate } from './flow-gate.js'
import { resetSocket } from './reset-socket.js'
import { type ByteTaker, readSocket, type SocketReader } from './socket-reader.js'
import { writeBytes } from './socket-writer.js'

export class RunningExchange implements Exchange, ByteTaker {
  onBroken: (() => void) | undefined
  readonly #carrier: Carrier
  /** Until the answer. */
  #handlers: StartHandlers | undefined
  readonly #counts: SpliceCounts = { fromNear: 0, fromFar: 0 }
  #out: 'pending' | 'open' | 'closed'
  #in: 'answer' | 'open' | 'closed'
  #settled = false
  #broken = false
  #near: Socket | undefined
  #nearReader: SocketReader | undefined
  #options: JoinOptions | undefined
  #reason: SpliceEnd = 'end'
  /** Whether near is read, and what comes over the connection. */
  readonly #nearGate: FlowGate = new FlowGate(() => this.#nearReader?.resume())
  readonly #farGate: FlowGate = new FlowGate(() => {
    if (!this.#settled) this.#carrier.resume()
  })
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
    this.#nearReader = readSocket(near, FRAME_HEADER_BYTES, this)
    // It ended without a word before, which nobody tells again.
    if (near.readableEnded) this.takeEnd()
    if (this.#in === 'closed') near.end()
    this.#farGate.open('join')
    this.#nearGate.open('join')
  }

  cut(): void {
    this.#break('cut')
  }

  // What the connection tells.

  /** False: out of place. */
  onFrame(type: number, payload: Buffer): boolean {
    if (this.#in === 'closed') return false
    const error = type === FrameType.REFUSE ? parseRefuse(payload)?.error : undefined
    if (this.#in === 'answer' && type === FrameType.ACCEPT) {
      this.#in = 'open'
      const handlers = this.#handlers
      this.#handlers = undefined
      if (!this.#broken) handlers?.onAccept()
      return true
    }
    if (this.#in === 'answer' && type === FrameType.REFUSE && error !== undefined) {
      const told = this.#broken
      this.#in = 'closed'
      this.#break('reset')
      if (!told) this.#handlers?.onRefuse(error)
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
    if (!this.#broken) this.#endNear()
    this.#settle()
    return true
  }

  /** The other end has said its END and was reset since. Of an exchange that is over here, it is heard by the next, or by none. */
  onReset(): void {
    if (this.#in === 'closed' && this.#out !== 'closed') this.#break('reset')
  }

  /** How many of them are dealt with, or undefined when they are out of place. */
  onChunk(bytes: Buffer, kept: boolean): number | undefined {
    if (this.#in !== 'open') return undefined
    if (this.#broken) return bytes.length
    const near = this.#near
    if (near === undefined) return 0
    const passing = this.#farGate.passing(bytes, this.#options?.throttles?.fromFar)
    if (passing.length === 0) return 0
    this.#counts.fromFar += passing.length
    this.#options?.onBytes?.(0, passing.length)
    const goesOn = writeBytes(near, passing, !kept, this.#onNearDrain)
    if (!goesOn) {
      this.#farGate.shut('drain')
      this.#carrier.hold()
    }
    return passing.length
  }

  onDrain(): void {
    this.#nearGate.open('drain')
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

  take(bytes: Buffer, kept: boolean): number {
    if (this.#out === 'closed') return bytes.length
    const passing = this.#nearGate.passing(bytes, this.#options?.throttles?.fromNear)
    if (passing.length === 0) return 0
    this.#counts.fromNear += passing.length
    this.#options?.onBytes?.(passing.length, 0)
    const goesOn = this.#carrier.sendChunk(passing, this.#nearReader?.headroom ?? 0, !kept)
    if (!goesOn) {
      this.#nearGate.shut('drain')
      this.#nearReader?.hold()
    }
    return passing.length
  }

  readonly #onNearDrain = (): void => {
    // Told of one write of several.
    if (this.#near?.writableLength === 0) this.#farGate.open('drain')
  }

  takeEnd(): void {
    if (this.#out !== 'open' || this.#near === undefined) return
    if (wasReset(this.#near)) this.#break('reset')
    else this.#close(FrameType.END)
  }

  readonly #onNearClose = (): void => {
    const near = this.#near
    const options = this.#options
    if (near === undefined || options === undefined) return
    this.#near = undefined
    this.#nearGate.leave(options.throttles?.fromNear)
    this.#farGate.leave(options.throttles?.fromFar)
    if (!this.#settled || near.writableLength > 0) this.#break('reset')
    options.onClose(this.#reason, this.#counts)
    this.#onGone?.()
  }

  #endNear(): void {
    const near = this.#near
    if (near === undefined) return
    // With both ends said and nothing left to send, closing says FIN just as well.
    if (this.#out === 'closed' && near.readableEnded && near.writableLength === 0) near.destroy()
    else near.end()
  }

  #break(why: SpliceEnd): void {
    if (this.#reason === 'end') this.#reason = why
    const near = this.#near
    if (near !== undefined) resetSocket(near)
    const { onBroken } = this
    this.onBroken = undefined
    onBroken?.()
    if (this.#broken || this.#settled) return
    this.#broken = true
    if (this.#out !== 'closed') {
      // Behind what cannot be sent the other end would not hear of it.
      if (this.#carrier.blocked) {
        this.#carrier.destroy()
        return
      }
      this.#close(FrameType.ABORT)
    } else if (this.#in !== 'closed') {
      // Its END is said, and the other end would go on for ever. What waits to be sent is that END, so nobody else is on the connection.
      if (this.#carrier.blocked) {
        this.#carrier.destroy()
        return
      }
      this.#carrier.sendFrame(FrameType.RESET)
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
    const flushes = near !== undefined && !near.destroyed && near.writableLength > 0
    if (flushes) near.setTimeout(this.#carrier.flushTimeoutMs, () => this.#break('reset'))
    this.#carrier.settled(flushes)
  }
}
