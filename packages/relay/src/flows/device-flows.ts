import { randomBytes } from 'node:crypto'
import { ItemKind, type OnItem } from '../datagrams/channel-items.js'
import type { ChannelPath, DatagramChannel } from '../datagrams/datagram-channel.js'
import { parseRefuse } from '../link/protocol.js'
import { DeviceFlow, type FlowHandlers } from './device-flow.js'
import type { FlowMessage } from './flow-message.js'
import { FlowSlots } from './flow-slots.js'

const ID_BYTES = 12
const NOTHING: Buffer = Buffer.alloc(0)

/** What a channel calls. */
export interface ChannelHooks {
  onItem: OnItem
  onPath: (path: ChannelPath) => void
  onSilence: () => void
}

export interface DeviceFlowsOptions<C extends DatagramChannel> {
  /** How long a path that is gone is waited for. */
  linkWaitMs: number
  createChannel: (hooks: ChannelHooks) => C
  /** Over the link: has the agent open a path. */
  wake: () => void
  /** See FlowSlots. */
  minSlots?: number
  /** Of the table that this one goes on for. */
  id?: string
}

/** The agent is woken no more often. */
const WAKE_EVERY_MS = 500

/** The players' flows of one device, over its datagram channel. They outlive links: an agent that comes anew is told of each again. */
export class DeviceFlows<C extends DatagramChannel = DatagramChannel> {
  /** New with each table: an agent that knew another one ends its flows. */
  readonly id: string
  readonly channel: C
  readonly #linkWaitMs: number
  readonly #wake: () => void
  readonly #slots: FlowSlots
  #linked = false
  #wokenAt = Number.NEGATIVE_INFINITY
  /** There was a path not long ago, or there will be one soon. */
  #awaited = false
  #awaiting: NodeJS.Timeout | undefined
  #closed = false

  constructor({ linkWaitMs, createChannel, wake, minSlots, id }: DeviceFlowsOptions<C>) {
    this.id = id ?? randomBytes(ID_BYTES).toString('base64url')
    this.#linkWaitMs = linkWaitMs
    this.#wake = wake
    this.#slots = new FlowSlots(minSlots)
    this.channel = createChannel({ onItem: this.#onItem, onPath: this.#onPath, onSilence: () => this.#wakeAgent() })
  }

  /** Live flows. */
  get size(): number {
    return this.#slots.size
  }

  /** False: the agent has been away for so long that datagrams need not be kept for it. An agent that has a link can be woken. */
  get reachable(): boolean {
    return this.#linked || this.#awaited || this.channel.path !== undefined
  }

  /** A link has come up. Its path will follow, and its agent may be another one. */
  linked(): void {
    this.#linked = true
    for (const flow of this.#slots.list()) flow.unknown()
    if (this.channel.path === undefined) this.#await()
  }

  /** The link is gone. What has a path goes on. */
  unlinked(): void {
    this.#linked = false
  }

  /** For the flows. Copies. False: dropped; when that is for want of a path, the agent is asked for one. */
  send(kind: number, flow: number, payload: Uint8Array): boolean {
    if (this.channel.send(kind, flow, payload)) return true
    if (kind !== ItemKind.CLOSE && this.channel.path === undefined) this.#seekPath()
    return false
  }

  /** The agent hears of it with the first datagram. Undefined: there are too many. */
  open(message: FlowMessage, handlers: FlowHandlers): DeviceFlow | undefined {
    const id = this.#closed ? undefined : this.#slots.nextId()
    if (id === undefined) return undefined
    const flow = new DeviceFlow(id, message, handlers, this, this.#forget)
    this.#slots.put(flow)
    return flow
  }

  get generations(): number[] {
    return this.#slots.generations
  }

  /** Goes on where the same table has ended in another process, and expects its agent. See FlowSlots. */
  restore(generations: readonly number[], taken: ReadonlySet<number>): void {
    this.#slots.restore(generations, taken)
    this.#await()
  }

  /** A flow of that table. The agent has it, if it is the same. */
  resume(id: number, message: FlowMessage, handlers: FlowHandlers): DeviceFlow {
    const flow = new DeviceFlow(id, message, handlers, this, this.#forget)
    this.#slots.resume(flow)
    return flow
  }

  /** Ends every flow. The channel is its owner's to close. */
  close(): void {
    this.#closed = true
    clearTimeout(this.#awaiting)
    for (const flow of this.#slots.list()) flow.ended()
  }

  #seekPath(): void {
    if (!this.#linked) return
    if (!this.#awaited) this.#await()
    this.#wakeAgent()
  }

  #wakeAgent(): void {
    const now = performance.now()
    if (now - this.#wokenAt < WAKE_EVERY_MS) return
    this.#wokenAt = now
    this.#wake()
  }

  #await(): void {
    if (this.#closed) return
    this.#awaited = true
    clearTimeout(this.#awaiting)
    this.#awaiting = setTimeout(this.#giveUp, this.#linkWaitMs)
  }

  readonly #forget = (flow: DeviceFlow): void => this.#slots.delete(flow)

  readonly #onItem: OnItem = (kind, id, payload) => {
    const flow = this.#slots.get(id)
    if (flow === undefined) {
      // Its CLOSE was lost, or this was under way meanwhile.
      if (kind === ItemKind.DATA || kind === ItemKind.OPENED) this.channel.send(ItemKind.CLOSE, id, NOTHING)
      return
    }
    switch (kind) {
      case ItemKind.DATA:
        flow.data(payload)
        break
      case ItemKind.OPENED:
        flow.opened()
        break
      case ItemKind.UNKNOWN:
        flow.unknown()
        break
      case ItemKind.CLOSE:
        flow.ended()
        break
      case ItemKind.REJECTED: {
        const refusal = parseRefuse(payload)
        if (refusal !== undefined) flow.rejected(refusal.error)
        break
      }
    }
  }

  readonly #onPath = (path: ChannelPath): void => {
    if (path === undefined) {
      this.#await()
      return
    }
    clearTimeout(this.#awaiting)
    this.#awaited = false
    for (const flow of this.#slots.list()) flow.handlers.onPath()
  }

  readonly #giveUp = (): void => {
    this.#awaited = false
    for (const flow of this.#slots.list()) flow.handlers.onAway()
  }
}
