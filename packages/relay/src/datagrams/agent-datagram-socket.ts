import { createSocket, type Socket } from 'node:dgram'
import { isIPv6 } from 'node:net'
import { enlargeReceiveBuffer } from '../flows/udp-socket.js'
import { Outbox } from './channel-outbox.js'
import type { SealedPacket } from './channel-session.js'

/**
 * A UDP socket that speaks to one address only: the kernel passes nothing else up, and knows the way for each packet. A new one is a new
 * port, and so a new mapping in every NAT along the way.
 */
export class AgentDatagramSocket {
  readonly #socket: Socket
  readonly #outbox: Outbox
  #open = false
  #closed = false

  /** `host`: an address. `onReady` is called once, when packets may be sent; not at all when the system refuses. */
  constructor(host: string, port: number, onPacket: (packet: Buffer) => void, onReady: () => void) {
    const socket = createSocket({
      type: isIPv6(host) ? 'udp6' : 'udp4',
      lookup: (address, _o, done) => done(null, address, 0),
    })
    this.#socket = socket
    this.#outbox = new Outbox(socket)
    // What ICMP says comes as errors of the socket; silence says the same.
    socket.on('error', ignore)
    socket.on('message', (packet) => {
      if (!this.#closed) onPacket(packet)
    })
    socket.bind({ port: 0, exclusive: true }, () => {
      if (this.#closed) return
      enlargeReceiveBuffer(socket)
      socket.connect(port, host, (error?: Error) => {
        if (error || this.#closed) return
        this.#open = true
        onReady()
      })
    })
  }

  get open(): boolean {
    return this.#open
  }

  send(packet: SealedPacket): void {
    if (this.#open) this.#outbox.send(packet)
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#open = false
    this.#outbox.close()
    this.#socket.close()
  }
}

function ignore(): void {}
