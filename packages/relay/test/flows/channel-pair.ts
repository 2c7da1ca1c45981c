import type { ChannelPath, DatagramChannel } from '../../dist/datagrams/datagram-channel.js'
import type { ChannelHooks } from '../../dist/flows/device-flows.js'

export interface Weather {
  /** Shares of the items, 0 to 1. */
  lost: number
  doubled: number
  /** Delayed behind the next ones. */
  late: number
}

const CLEAR: Weather = { lost: 0, doubled: 0, late: 0 }

interface Item {
  kind: number
  flow: number
  payload: Buffer
}

/** One end of a pair of channels in memory. Its path is up until it is said otherwise. */
export class TestChannel implements DatagramChannel {
  path: ChannelPath = 'udp'
  peer: TestChannel | undefined
  hooks: ChannelHooks | undefined
  readonly sent: Item[] = []
  readonly #random: () => number
  #weather: Weather
  #queue: Item[] = []
  #delivering = false

  constructor(weather: Weather = CLEAR, random: () => number = Math.random) {
    this.#weather = weather
    this.#random = random
  }

  /** For `createChannel`. */
  readonly open = (hooks: ChannelHooks): TestChannel => {
    this.hooks = hooks
    return this
  }

  send(kind: number, flow: number, payload: Uint8Array): boolean {
    if (this.path === undefined) return false
    const item = { kind, flow, payload: Buffer.from(payload) }
    this.sent.push(item)
    const { lost, doubled } = this.#weather
    if (this.#random() < lost) return true
    this.#queue.push(item)
    if (this.#random() < doubled) this.#queue.push(item)
    if (!this.#delivering) {
      this.#delivering = true
      setImmediate(() => this.#deliver())
    }
    return true
  }

  clearUp(): void {
    this.#weather = CLEAR
  }

  setPath(path: ChannelPath): void {
    this.path = path
    this.hooks?.onPath(path)
  }

  close(): void {
    this.path = undefined
    this.#queue = []
  }

  #deliver(): void {
    this.#delivering = false
    const now = this.#queue
    this.#queue = []
    for (const item of now) {
      if (this.#random() < this.#weather.late) this.#queue.push(item)
      // What is given may be used again right after the call.
      else this.peer?.hooks?.onItem(item.kind, item.flow, Buffer.from(item.payload))
    }
    if (this.#queue.length === 0) return
    this.#delivering = true
    setImmediate(() => this.#deliver())
  }
}

export function channelPair(weather?: Weather, random?: () => number): { relay: TestChannel; agent: TestChannel } {
  const relay = new TestChannel(weather, random)
  const agent = new TestChannel(weather, random)
  relay.peer = agent
  agent.peer = relay
  return { relay, agent }
}
