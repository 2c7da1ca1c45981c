import type { Socket } from 'node:net'
import type { ConnectionRecord } from './connection-record.js'
import { DatagramReader } from './datagram-frame.js'
import { DatagramWriter } from './datagram-writer.js'
import type { CloseReason } from './relay-types.js'

export interface UdpFlowOptions {
  record: ConnectionRecord
  maxBufferBytes: number
  /** To the player; false when dropped. */
  sendToPlayer: (payload: Buffer) => boolean
  /** Ends the call for a data connection that has not come yet. */
  cancel: () => void
  onClose: () => void
}

/** Counted for each datagram that waits, over its bytes, since an empty one takes memory too. */
const WAITING_OVERHEAD_BYTES = 256

/** One player's datagrams, both ways, over one data connection of the agent's. */
export class UdpFlow {
  readonly #options: UdpFlowOptions
  #waiting: Buffer[] = []
  #waitingBytes = 0
  #stream: Socket | undefined
  #writer: DatagramWriter | undefined
  #closed = false
  /** By `performance.now()`. */
  lastActiveAt: number = performance.now()
  answered = false

  constructor(options: UdpFlowOptions) {
    this.#options = options
  }

  /** Copies what it has to keep. */
  fromPlayer(payload: Buffer): void {
    this.lastActiveAt = performance.now()
    if (this.#writer !== undefined) {
      if (this.#writer.send(payload)) this.#options.record.count(payload.length, 0)
      return
    }
    const cost = payload.length + WAITING_OVERHEAD_BYTES
    if (this.#waitingBytes + cost > this.#options.maxBufferBytes) return
    this.#waitingBytes += cost
    this.#waiting.push(Buffer.from(payload))
  }

  connect(stream: Socket): void {
    const { record, maxBufferBytes, sendToPlayer } = this.#options
    this.#stream = stream
    this.#writer = new DatagramWriter(stream, maxBufferBytes)
    record.open()
    const reader = new DatagramReader()
    stream.on('data', (chunk: Buffer) => {
      this.lastActiveAt = performance.now()
      const valid = reader.read(chunk, (payload) => {
        this.answered = true
        if (!this.#closed && sendToPlayer(payload)) record.count(0, payload.length)
      })
      if (!valid) this.close('reset')
    })
    stream.on('end', () => this.close('end'))
    stream.on('error', () => this.close('reset'))
    stream.on('close', () => this.close('reset'))
    if (stream.destroyed) {
      this.close('reset')
      return
    }
    stream.resume()
    for (const payload of this.#waiting.splice(0)) this.fromPlayer(payload)
  }

  close(reason: CloseReason): void {
    if (this.#closed) return
    this.#closed = true
    this.#options.cancel()
    this.#stream?.destroy()
    this.#waiting = []
    this.#options.onClose()
    this.#options.record.close(reason)
  }
}
