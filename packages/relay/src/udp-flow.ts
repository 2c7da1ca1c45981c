import type { Socket } from 'node:net'
import type { ConnectionRecord } from './connection-record.js'
import { DatagramReader, MAX_DATAGRAM_BYTES } from './datagram-frame.js'
import { DatagramWriter } from './datagram-writer.js'
import { DATAGRAM_OVERHEAD_BYTES, PacedDatagrams, type QueueBudget } from './paced-datagrams.js'
import type { CloseReason } from './relay-types.js'
import type { Throttle } from './throttle.js'

/** One direction of the allocation's bandwidth. */
export interface FlowPace {
  throttle: Throttle
  budget: QueueBudget
}

export interface UdpFlowOptions {
  record: ConnectionRecord
  maxBufferBytes: number
  fromPlayer: FlowPace
  toPlayer: FlowPace
  /** What is put in front of the first datagram to the target. Asked once, when there is a way to it. */
  header: () => Buffer | undefined
  /** To the player; false when dropped. */
  sendToPlayer: (payload: Buffer) => boolean
  onClose: () => void
}

/** One player's datagrams, both ways, over one data connection of the agent's. */
export class UdpFlow {
  readonly #options: UdpFlowOptions
  readonly #fromPlayer: PacedDatagrams
  readonly #toPlayer: PacedDatagrams
  #waiting: Buffer[] = []
  #waitingBytes = 0
  #header: Buffer | undefined
  #stream: Socket | undefined
  #writer: DatagramWriter | undefined
  #withdraw: () => void = () => {}
  #closed = false
  /** By `performance.now()`. */
  lastActiveAt: number = performance.now()
  answered = false

  constructor(options: UdpFlowOptions) {
    const { fromPlayer, toPlayer, maxBufferBytes } = options
    this.#options = options
    this.#fromPlayer = new PacedDatagrams(fromPlayer.throttle, fromPlayer.budget, maxBufferBytes, this.#passToTarget)
    this.#toPlayer = new PacedDatagrams(toPlayer.throttle, toPlayer.budget, maxBufferBytes, this.#passToPlayer)
  }

  /** The flow waits for something; `withdraw` is called when it is closed first. */
  waitFor(withdraw: () => void): void {
    this.#withdraw = withdraw
  }

  /** Copies what it has to keep. */
  fromPlayer(payload: Buffer): void {
    this.lastActiveAt = performance.now()
    if (this.#writer !== undefined) {
      this.#fromPlayer.send(payload)
      return
    }
    const cost = payload.length + DATAGRAM_OVERHEAD_BYTES
    if (this.#waitingBytes + cost > this.#options.maxBufferBytes) return
    this.#waitingBytes += cost
    this.#waiting.push(Buffer.from(payload))
  }

  connect(stream: Socket): void {
    const { record, maxBufferBytes, header } = this.#options
    this.#stream = stream
    this.#writer = new DatagramWriter(stream, maxBufferBytes)
    this.#header = header()
    record.open()
    const reader = new DatagramReader()
    stream.on('data', (chunk: Buffer) => {
      this.lastActiveAt = performance.now()
      const valid = reader.read(chunk, (payload) => {
        this.answered = true
        if (!this.#closed) this.#toPlayer.send(payload)
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
    this.#withdraw()
    this.#stream?.destroy()
    this.#waiting = []
    this.#fromPlayer.close()
    this.#toPlayer.close()
    this.#options.onClose()
    this.#options.record.close(reason)
  }

  readonly #passToTarget = (payload: Buffer): void => {
    const header = this.#header
    const whole = header === undefined ? payload : Buffer.concat([header, payload])
    // One that has no room for the header is lost: the target must not take what comes without for the first.
    if (whole.length > MAX_DATAGRAM_BYTES || this.#writer?.send(whole) !== true) return
    this.#header = undefined
    this.#options.record.count(payload.length, 0)
  }

  readonly #passToPlayer = (payload: Buffer): void => {
    if (this.#options.sendToPlayer(payload)) this.#options.record.count(0, payload.length)
  }
}
