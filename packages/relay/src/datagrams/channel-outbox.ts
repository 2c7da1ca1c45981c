import type { Socket } from 'node:dgram'
import type { SealedPacket } from './channel-session.js'

/** Waiting while the kernel takes none; beyond that the oldest are dropped, which are the least worth. */
const MAX_WAITING_BYTES = 262_144

interface WaitingPacket {
  packet: SealedPacket
  bytes: number
  port: number | undefined
  address: string | undefined
}

/** Packets on their way to a UDP socket. As a rule the kernel takes each at once, and nothing waits here. */
export class Outbox {
  readonly #socket: Socket
  #waiting: WaitingPacket[] = []
  #waitingBytes = 0
  #sending = false
  #closed = false
  dropped = 0

  constructor(socket: Socket) {
    this.#socket = socket
  }

  /** Without an address when the socket is connected. The packet's buffers must not be changed any more. */
  send(packet: SealedPacket, port?: number, address?: string): void {
    if (this.#closed) return
    if (this.#waiting.length === 0 && !this.#sending && this.#socket.getSendQueueSize() === 0) {
      if (port === undefined) this.#socket.send(packet)
      else this.#socket.send(packet, port, address)
      return
    }
    const bytes = packet.reduce((sum, part) => sum + part.length, 0)
    this.#waiting.push({ packet, bytes, port, address })
    this.#waitingBytes += bytes
    while (this.#waitingBytes > MAX_WAITING_BYTES) {
      this.dropped += 1
      this.#waitingBytes -= this.#waiting.shift()?.bytes ?? 0
    }
    if (!this.#sending) this.#next()
  }

  /** What waits is lost. To be called before the socket is closed. */
  close(): void {
    this.#closed = true
    this.#waiting = []
  }

  readonly #next = (): void => {
    this.#sending = false
    const next = this.#waiting.shift()
    if (next === undefined || this.#closed) return
    this.#waitingBytes -= next.bytes
    this.#sending = true
    if (next.port === undefined) this.#socket.send(next.packet, this.#next)
    else this.#socket.send(next.packet, next.port, next.address, this.#next)
  }
}
