import type { Socket } from 'node:net'
import type { ConnectionRecord } from './connection-record.js'
import type { PlayerContext } from './public-listener.js'
import type { CloseReason, RelayAllocation } from './relay-types.js'
import { splice } from './splice.js'

export interface TcpPlayerOptions {
  allocation: RelayAllocation
  remoteAddress: string
  remotePort: number
  record: ConnectionRecord
  context: PlayerContext
  /** Once, when nothing of this player is left. */
  onGone: () => void
}

/** One player's TCP connection: waits, unread, for the agent's data connection and is spliced to it. */
export class TcpPlayer {
  readonly #socket: Socket
  readonly #options: TcpPlayerOptions
  #cut: () => void
  #gone = false

  constructor(socket: Socket, options: TcpPlayerOptions) {
    this.#socket = socket
    this.#options = options
    this.#cut = () => this.#leave('cut')
    socket.on('close', this.#onClose)
  }

  /** Asks the agent for the data connection. */
  start(): void {
    const { allocation, remoteAddress, remotePort, context } = this.#options
    const call = context.waiting.call({
      allocation,
      remoteAddress,
      remotePort,
      onFailed: (reason) => this.#leave(reason),
      onStream: (stream) => this.#join(stream),
    })
    if (!call.ok) {
      this.#leave(call.reason)
      return
    }
    this.#cut = () => {
      call.cancel()
      this.#leave('cut')
    }
    this.#socket.once('close', call.cancel)
  }

  cut(): void {
    this.#cut()
  }

  #join(stream: Socket): void {
    const { record, context } = this.#options
    this.#socket.off('close', this.#onClose)
    record.open()
    const spliced = splice(this.#socket, stream, {
      flushTimeoutMs: context.limits.flushTimeoutMs,
      onBytes: (fromPlayer, fromTarget) => record.count(fromPlayer, fromTarget),
      onClose: (reason) => this.#leave(reason),
    })
    this.#cut = spliced.cut
  }

  readonly #onClose = (): void => this.#leave('reset')

  #leave(reason: CloseReason): void {
    if (this.#gone) return
    this.#gone = true
    this.#socket.destroy()
    this.#options.record.close(reason)
    this.#options.onGone()
  }
}
