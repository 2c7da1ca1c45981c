import type { AgentEvents, AgentTraffic, RejectError } from '../agent-types.js'
import { ItemKind, type OnItem } from '../datagrams/channel-items.js'
import type { DatagramChannel } from '../datagrams/datagram-channel.js'
import type { Emitter } from '../emitter.js'
import type { AgentLimits } from '../limits.js'
import { encodeMessage } from '../link/protocol.js'
import type { SharedPermits } from '../permits.js'
import { ConnectionRecord } from '../players/connection-record.js'
import type { CloseReason } from '../relay-types.js'
import type { AllowList } from '../target/allow-rule.js'
import type { LocalSources } from '../target/local-source.js'
import type { Refusals } from '../target/refusals.js'
import type { TrafficTotals } from '../target/traffic-totals.js'
import { AgentFlow } from './agent-flow.js'
import type { ChannelHooks } from './device-flows.js'
import { FlowGenerations } from './flow-generations.js'
import { generationOf, isLaterGeneration, slotOf } from './flow-id.js'
import { type FlowMessage, parseFlow, sameFlow } from './flow-message.js'
import type { QueueBudget } from './paced-datagrams.js'

export interface AgentFlowsOptions<C extends DatagramChannel> {
  relayId: string
  allowed: AllowList
  sources: LocalSources
  limits: AgentLimits
  events: Emitter<AgentEvents>
  refusals: Refusals
  totals: TrafficTotals
  /** Connections and flows, shared by all relays. */
  permits: Pick<SharedPermits, 'take'>
  createChannel: (hooks: ChannelHooks) => C
}

const NOTHING: Buffer = Buffer.alloc(0)
/** Of the idle time; and so the error of its measure. */
const SWEEPS = 20
const MIN_SWEEP_INTERVAL_MS = 10
const MAX_SWEEP_INTERVAL_MS = 5_000
/** Datagrams of all flows whose target is being resolved. */
const MAX_HELD_BYTES = 4 * 1024 * 1024

/** The UDP flows of one relay's players: each has a socket of its own. They outlive links. */
export class AgentFlows<C extends DatagramChannel = DatagramChannel> {
  readonly channel: C
  readonly #options: AgentFlowsOptions<C>
  /** By slot. */
  readonly #flows: Map<number, AgentFlow> = new Map()
  readonly #generations: FlowGenerations = new FlowGenerations()
  readonly #budget: QueueBudget = { usedBytes: 0, maxBytes: MAX_HELD_BYTES }
  /** Sockets that are not closed yet. */
  #present = 0
  #onNone: (() => void)[] = []
  #table: string | undefined
  #sweep: NodeJS.Timeout | undefined
  #stopped = false

  constructor(options: AgentFlowsOptions<C>) {
    this.#options = options
    this.channel = options.createChannel({ onItem: this.#onItem, onPath: ignore, onSilence: ignore })
  }

  /** Live flows. */
  get size(): number {
    return this.#flows.size
  }

  /** A link was welcomed by a relay with this table of flows. False: those of before were of another, and are over. */
  welcome(table: string): boolean {
    if (this.#table === table) return true
    this.#table = table
    this.#closeAll('cut')
    this.#generations.clear()
    return false
  }

  /** Cuts every flow; the relay is not told, since they may go on elsewhere. The channel is its owner's to close. Resolves when all is closed. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#closeAll('cut')
    clearInterval(this.#sweep)
    this.#sweep = undefined
    if (this.#present > 0) await new Promise<void>((resolve) => this.#onNone.push(resolve))
  }

  readonly #onItem: OnItem = (kind, id, payload) => {
    if (this.#stopped) return
    const flow = this.#flows.get(slotOf(id))
    switch (kind) {
      case ItemKind.DATA:
        if (flow?.id === id) flow.toTarget(payload)
        else if (!this.#isLate(id, flow)) this.channel.send(ItemKind.UNKNOWN, id, NOTHING)
        break
      case ItemKind.OPEN:
        this.#open(id, payload, flow)
        break
      case ItemKind.CLOSE:
        if (flow?.id === id) this.#close(flow, 'end')
        if (!this.#isLate(id, flow)) this.#generations.end(id, performance.now())
        break
    }
  }

  /** Of a flow that is over: what was under way too long. */
  #isLate(id: number, inSlot: AgentFlow | undefined): boolean {
    if (inSlot !== undefined && inSlot.id !== id && !isLaterGeneration(generationOf(id), generationOf(inSlot.id)))
      return true
    return this.#generations.isOver(id, performance.now())
  }

  #open(id: number, payload: Buffer, inSlot: AgentFlow | undefined): void {
    if (this.#isLate(id, inSlot)) return
    const message = parseFlow(payload)
    if (message === undefined) return
    if (inSlot?.id === id && sameFlow(inSlot.message, message)) {
      // The first answer was lost, or is under way.
      if (inSlot.opened) this.channel.send(ItemKind.OPENED, id, NOTHING)
      return
    }
    if (inSlot !== undefined) this.#close(inSlot, 'end')
    const { permits, relayId } = this.#options
    const release = permits.take(relayId)
    if (release === undefined) this.#reject(id, 'agent_busy')
    else this.#begin(id, message, release)
  }

  #begin(id: number, message: FlowMessage, release: () => void): void {
    const { relayId, allowed, sources, limits, refusals, totals } = this.#options
    const { allocationId, target } = message
    const held = totals.hold(relayId, allocationId)
    this.#present += 1
    const flow: AgentFlow = new AgentFlow({
      id,
      message,
      channel: this.channel,
      allowed,
      sources,
      limits,
      budget: this.#budget,
      record: this.#record(message, held.totals),
      onOpened: () => {
        refusals.recovered(relayId, allocationId)
        this.channel.send(ItemKind.OPENED, id, NOTHING)
      },
      onRejected: (error) => {
        this.#forget(flow)
        refusals.note({ relayId, allocationId, protocol: 'udp', target, error })
        this.#reject(id, error)
      },
      onGone: () => {
        release()
        held.letGo()
        this.#present -= 1
        if (this.#present === 0) for (const resolve of this.#onNone.splice(0)) resolve()
      },
    })
    this.#flows.set(slotOf(id), flow)
    this.#startSweep()
  }

  #reject(id: number, error: RejectError): void {
    this.channel.send(ItemKind.REJECTED, id, encodeMessage({ error }))
  }

  #record({ allocationId, remoteAddress, remotePort }: FlowMessage, traffic: AgentTraffic): ConnectionRecord {
    const { relayId, events } = this.#options
    const about = { allocationId, protocol: 'udp' as const, remoteAddress, remotePort }
    return new ConnectionRecord(about, traffic, (event) => {
      const { phase } = event
      if (phase !== 'refused') events.emit('connection', { ...event, phase, relayId })
    })
  }

  #close(flow: AgentFlow, reason: CloseReason): void {
    this.#forget(flow)
    flow.close(reason)
  }

  #forget(flow: AgentFlow): void {
    const slot = slotOf(flow.id)
    if (this.#flows.get(slot) === flow) this.#flows.delete(slot)
  }

  #closeAll(reason: CloseReason): void {
    for (const flow of [...this.#flows.values()]) this.#close(flow, reason)
  }

  /** One timer for all flows, while there are any. */
  #startSweep(): void {
    if (this.#sweep !== undefined) return
    const intervalMs = this.#options.limits.udpIdleMs / SWEEPS
    this.#sweep = setInterval(
      () => this.#endIdle(),
      Math.max(MIN_SWEEP_INTERVAL_MS, Math.min(intervalMs, MAX_SWEEP_INTERVAL_MS)),
    )
  }

  #endIdle(): void {
    const now = performance.now()
    for (const flow of [...this.#flows.values()]) {
      if (flow.active) {
        flow.active = false
        flow.activeAt = now
      } else if (now - flow.activeAt > this.#options.limits.udpIdleMs) {
        this.#close(flow, 'idle')
        this.channel.send(ItemKind.CLOSE, flow.id, NOTHING)
      }
    }
    if (this.#flows.size > 0) return
    clearInterval(this.#sweep)
    this.#sweep = undefined
  }
}

function ignore(): void {}
