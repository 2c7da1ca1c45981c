import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { once } from 'node:events'

interface Teardown {
  teardown(handler: () => unknown): void
}

/** What happens to packets on the way, either way; all of it by a seeded generator. */
export interface Weather {
  loss?: number
  duplicates?: number
  /** This share is held back behind those that follow. */
  reordered?: number
  /** Larger packets vanish. */
  maxBytes?: number
}

/** A path between an agent and a relay, with a NAT in it: the relay sees the address of `outside`. */
export class UdpProxy {
  readonly relayPort: number
  /** May change on the way. */
  readonly weather: Weather
  readonly #inside: Socket
  #outside: Socket
  #agent: RemoteInfo | undefined
  #state: number
  #held: (() => void)[] = []
  blocked = false
  blockedToAgent = false
  blockedToRelay = false
  /** As they passed, to the relay. */
  seen: Buffer[] = []
  /** From which the agent sent. */
  readonly agentPorts: Set<number> = new Set()
  port = 0

  constructor(relayPort: number, weather: Weather, seed: number) {
    this.relayPort = relayPort
    this.weather = weather
    this.#state = seed
    this.#inside = createSocket('udp4')
    this.#outside = this.#newOutside()
    this.#inside.on('message', (packet, from) => {
      this.#agent = from
      this.seen.push(packet)
      this.agentPorts.add(from.port)
      if (this.blocked || this.blockedToRelay) return
      this.#pass(packet, () => this.#outside.send(packet, relayPort, '127.0.0.1'))
    })
  }

  async listen(t: Teardown): Promise<void> {
    t.teardown(() => this.close())
    this.#inside.bind(0, '127.0.0.1')
    await once(this.#inside, 'listening')
    this.port = this.#inside.address().port
  }

  get outsidePort(): number {
    return this.#outside.address().port
  }

  /** The NAT forgets, and takes another port. */
  async rebind(): Promise<void> {
    this.#outside.close()
    this.#outside = this.#newOutside()
    this.#outside.bind(0, '127.0.0.1')
    await once(this.#outside, 'listening')
  }

  close(): void {
    this.#inside.close()
    this.#outside.close()
  }

  #newOutside(): Socket {
    const socket = createSocket('udp4')
    socket.on('message', (packet, from) => {
      const agent = this.#agent
      if (this.blocked || this.blockedToAgent || from.port !== this.relayPort || agent === undefined) return
      this.#pass(packet, () => this.#inside.send(packet, agent.port, agent.address))
    })
    return socket
  }

  #pass(packet: Buffer, send: () => void): void {
    const { loss = 0, duplicates = 0, reordered = 0, maxBytes = 65_535 } = this.weather
    if (packet.length > maxBytes || this.#random() < loss) return
    if (this.#random() < reordered) {
      this.#held.push(send)
      return
    }
    send()
    if (this.#random() < duplicates) send()
    if (this.#held.length >= 3) for (const late of this.#held.splice(0).reverse()) late()
  }

  /** xorshift32. */
  #random(): number {
    this.#state ^= this.#state << 13
    this.#state ^= this.#state >>> 17
    this.#state ^= this.#state << 5
    return (this.#state >>> 0) / 2 ** 32
  }
}
