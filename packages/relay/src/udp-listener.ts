import type { RemoteInfo, Socket } from 'node:dgram'
import { isIPv6 } from 'node:net'
import { ConnectionRecord } from './connection-record.js'
import type { QueueBudget } from './paced-datagrams.js'
import { KeyedCounts } from './permits.js'
import { PlayerRules } from './player-rules.js'
import { proxyHeaderV2 } from './proxy-header.js'
import type { PlayerContext, PublicListener } from './public-listener.js'
import { RecentlyDenied } from './recently-denied.js'
import type { AllocationTraffic, RelayAllocation } from './relay-types.js'
import { sameTarget } from './same-allocation.js'
import { plainAddress, sourceKey } from './source-key.js'
import { UdpFlow, type UdpFlowOptions } from './udp-flow.js'
import { bindUdp, createUdpSocket, sendBounded } from './udp-socket.js'

const MIN_SWEEP_INTERVAL_MS = 10
const MAX_SWEEP_INTERVAL_MS = 5_000
/** Datagrams of all flows of the allocation that wait for bandwidth, in one direction. */
const MAX_PACED_BYTES = 16 * 1024 * 1024

/** A public UDP port. Datagrams from one address and port are one player's flow, until it is idle. */
export class UdpListener implements PublicListener {
  readonly #context: PlayerContext
  readonly #traffic: AllocationTraffic
  readonly #rules: PlayerRules
  readonly #socket: Socket
  readonly #flows: Map<string, UdpFlow> = new Map()
  readonly #perSource: KeyedCounts = new KeyedCounts()
  readonly #denied: RecentlyDenied = new RecentlyDenied()
  readonly #budgets: { in: QueueBudget; out: QueueBudget } = {
    in: { usedBytes: 0, maxBytes: MAX_PACED_BYTES },
    out: { usedBytes: 0, maxBytes: MAX_PACED_BYTES },
  }
  #allocation: RelayAllocation
  #port = 0
  #sweep: NodeJS.Timeout | undefined
  #accepting = true
  #binding: Promise<void> | undefined
  #closed: Promise<void> | undefined

  constructor(allocation: RelayAllocation, traffic: AllocationTraffic, context: PlayerContext) {
    this.#allocation = allocation
    this.#traffic = traffic
    this.#context = context
    this.#rules = new PlayerRules(allocation.options)
    this.#socket = createUdpSocket(isIPv6(context.bindHost) ? 'udp6' : 'udp4')
  }

  async listen(): Promise<number> {
    this.#socket.on('message', (payload, from) => this.#take(payload, from))
    const binding = bindUdp(this.#socket, this.#context.bindHost, this.#allocation.port)
    const settled = () => {
      this.#binding = undefined
    }
    this.#binding = binding.then(settled, settled)
    try {
      this.#port = await binding
    } catch (error) {
      void this.#close()
      throw error
    }
    if (this.#accepting) this.#startSweep()
    return this.#port
  }

  #startSweep(): void {
    const intervalMs = Math.max(MIN_SWEEP_INTERVAL_MS, Math.min(this.#idleMs, this.#context.limits.udpUnansweredMs) / 4)
    clearInterval(this.#sweep)
    this.#sweep = setInterval(() => this.#endIdle(), Math.min(intervalMs, MAX_SWEEP_INTERVAL_MS))
  }

  get #idleMs(): number {
    return Math.min(this.#context.limits.udpIdleMs, this.#rules.idleMs)
  }

  /** A flow has no end of its own, so the ones to the old target are cut. */
  update(allocation: RelayAllocation): void {
    const before = this.#allocation
    this.#allocation = allocation
    const idleMs = this.#idleMs
    this.#rules.update(allocation.options)
    if (this.#sweep !== undefined && this.#idleMs !== idleMs) this.#startSweep()
    if (!sameTarget(before, allocation)) {
      this.cutPlayers()
      return
    }
    for (const [key, flow] of [...this.#flows]) if (!this.#rules.admits(addressOfKey(key))) flow.close('denied')
  }

  stopAccepting(): void {
    this.#accepting = false
    if (this.#flows.size === 0) void this.#close()
  }

  cutPlayers(): void {
    for (const flow of [...this.#flows.values()]) flow.close('cut')
  }

  async closed(): Promise<void> {
    await this.#closed
  }

  drained(): Promise<void> {
    return Promise.resolve()
  }

  #take(payload: Buffer, from: RemoteInfo): void {
    const key = keyOf(from)
    const flow = this.#flows.get(key) ?? this.#begin(key, from)
    flow?.fromPlayer(payload)
  }

  /** Who is not let in gets no event but for an admission: a flood of forged sources would make one of each datagram. */
  #begin(key: string, from: RemoteInfo): UdpFlow | undefined {
    if (!this.#accepting || from.port === 0) return undefined
    const { permits, waiting } = this.#context
    if (this.#denied.has(key) || !this.#rules.admits(plainAddress(from.address))) return undefined
    if (this.#full(from) || waiting.refusal(this.#allocation.deviceId) !== undefined) return undefined
    const release = permits.take()
    if (release === undefined) return undefined
    const uncount = this.#perSource.add(sourceKey(from.address))
    const flow = new UdpFlow(
      this.#flowOptions(from, () => {
        this.#flows.delete(key)
        uncount()
        release()
        if (!this.#accepting && this.#flows.size === 0) void this.#close()
      }),
    )
    this.#flows.set(key, flow)
    this.#ask(key, flow, from)
    return this.#flows.get(key)
  }

  #full(from: RemoteInfo): boolean {
    const { maxUdpFlowsPerAllocation, maxUdpFlowsPerSource } = this.#context.limits
    const flows = this.#flows.size
    if (flows >= maxUdpFlowsPerAllocation || flows >= this.#rules.maxConnections) return true
    return this.#perSource.of(sourceKey(from.address)) >= maxUdpFlowsPerSource
  }

  /** May this player in? Then the agent is asked for a data connection. */
  #ask(key: string, flow: UdpFlow, from: RemoteInfo): void {
    const { admissions } = this.#context
    const knock = { allocationId: this.#allocation.id, protocol: 'udp' as const, ...playerOf(from) }
    let decided = false
    const withdraw = admissions.ask(knock, (allowed) => {
      decided = true
      if (allowed) this.#call(flow, from)
      else {
        this.#denied.add(key)
        flow.close('denied')
      }
    })
    if (!decided) flow.waitFor(withdraw)
  }

  #call(flow: UdpFlow, from: RemoteInfo): void {
    const call = this.#context.waiting.call({
      allocation: this.#allocation,
      ...playerOf(from),
      onStream: (stream) => flow.connect(stream),
      onFailed: (reason) => flow.close(reason),
    })
    if (call.ok) flow.waitFor(call.cancel)
    else flow.close(call.reason)
  }

  #flowOptions(from: RemoteInfo, onClose: () => void): UdpFlowOptions {
    const { limits, tell, bindHost } = this.#context
    const player = playerOf(from)
    const about = { allocationId: this.#allocation.id, protocol: 'udp' as const, ...player }
    const pair = { protocol: 'udp' as const, ...player, localAddress: bindHost, localPort: this.#port }
    return {
      record: new ConnectionRecord(about, this.#traffic, tell),
      maxBufferBytes: limits.maxUdpBufferBytes,
      fromPlayer: { throttle: this.#rules.fromPlayers, budget: this.#budgets.in },
      toPlayer: { throttle: this.#rules.toPlayers, budget: this.#budgets.out },
      header: () => (this.#rules.proxyProtocol === 'none' ? undefined : proxyHeaderV2(pair)),
      sendToPlayer: (payload) =>
        sendBounded(this.#socket, limits.maxUdpBufferBytes, () => this.#socket.send(payload, from.port, from.address)),
      onClose,
    }
  }

  #endIdle(): void {
    const now = performance.now()
    const idleMs = this.#idleMs
    const { udpUnansweredMs } = this.#context.limits
    for (const flow of this.#flows.values()) {
      const quietMs = now - flow.lastActiveAt
      if (quietMs > idleMs || (!flow.answered && quietMs > udpUnansweredMs)) flow.close('idle')
    }
  }

  #close(): Promise<void> {
    clearInterval(this.#sweep)
    this.#sweep = undefined
    const close = () => new Promise<void>((resolve) => this.#socket.close(() => resolve()))
    // A close during a bind that fails would be lost; any other is at once, since the port may be wanted in the same state.
    this.#closed ??= this.#binding === undefined ? close() : this.#binding.then(close)
    return this.#closed
  }
}

function keyOf({ address, port }: RemoteInfo): string {
  return `${address} ${port}`
}

function addressOfKey(key: string): string {
  return plainAddress(key.slice(0, key.indexOf(' ')))
}

function playerOf(from: RemoteInfo): { remoteAddress: string; remotePort: number } {
  return { remoteAddress: plainAddress(from.address), remotePort: from.port }
}
