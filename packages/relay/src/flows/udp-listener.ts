import type { RemoteInfo, Socket } from 'node:dgram'
import { isIPv6 } from 'node:net'
import type { HandedFlow } from '../handover/handed-state.js'
import type { SocketSource } from '../handover/taken-sockets.js'
import { ConnectionRecord } from '../players/connection-record.js'
import { PlayerRules } from '../players/player-rules.js'
import { proxyHeaderV2 } from '../players/proxy-header.js'
import type { PlayerContext, PublicListener } from '../players/public-listener.js'
import { plainAddress } from '../players/source-key.js'
import type { AllocationTraffic, RelayAllocation } from '../relay-types.js'
import { sameTarget } from '../state/same-allocation.js'
import type { FlowMessage } from './flow-message.js'
import { LARGE_DATAGRAM_BYTES, LargeDatagrams } from './large-datagrams.js'
import type { QueueBudget } from './paced-datagrams.js'
import { UdpFlow, type UdpFlowHost } from './udp-flow.js'
import { UdpIdle } from './udp-idle.js'
import { UdpIntake } from './udp-intake.js'
import { BoundedSender, bindUdp, createUdpSocket } from './udp-socket.js'
import { UdpSources } from './udp-sources.js'

/** Datagrams of all flows of the allocation that wait, in one direction. */
const MAX_WAITING_BYTES = 16 * 1024 * 1024

/** A public UDP port. Datagrams from one address and port are one player's flow, until it is idle. */
export class UdpListener implements PublicListener, UdpFlowHost {
  readonly rules: PlayerRules
  readonly maxBufferBytes: number
  readonly budgets: UdpFlowHost['budgets'] = { in: newBudget(), out: newBudget(), held: newBudget() }
  readonly #context: PlayerContext
  readonly #traffic: AllocationTraffic
  #socket: Socket
  #sender: BoundedSender
  readonly #flows: UdpSources<UdpFlow> = new UdpSources()
  /** What gives back the place of a flow. */
  readonly #places: Map<UdpFlow, () => void> = new Map()
  readonly #intake: UdpIntake
  readonly #idle: UdpIdle
  readonly #large: LargeDatagrams<UdpFlow>
  #allocation: RelayAllocation
  #port = 0
  #accepting = true
  #binding: Promise<void> | undefined
  #closed: Promise<void> | undefined

  constructor(allocation: RelayAllocation, traffic: AllocationTraffic, context: PlayerContext) {
    const { limits, permits, bindHost } = context
    this.#allocation = allocation
    this.#traffic = traffic
    this.#context = context
    this.rules = new PlayerRules(allocation.options)
    this.maxBufferBytes = limits.maxUdpBufferBytes
    this.#large = new LargeDatagrams(this.maxBufferBytes)
    const bounds = { players: limits.maxUdpFlowsPerAllocation, perSource: limits.maxUdpFlowsPerSource }
    this.#intake = new UdpIntake({ rules: this.rules, permits, bounds })
    this.#idle = new UdpIdle({
      flows: () => this.#flows.values(),
      idleMs: () => Math.min(limits.udpIdleMs, this.rules.idleMs),
      unansweredMs: limits.udpUnansweredMs,
      onActive: (flow) => this.#intake.touch(flow),
    })
    this.#socket = createUdpSocket(isIPv6(bindHost) ? 'udp6' : 'udp4')
    this.#sender = new BoundedSender(this.#socket, this.maxBufferBytes)
  }

  async listen(): Promise<number> {
    const taken = this.#context.taken?.udp(this.#allocation.id)
    if (taken !== undefined) return this.#adopt(taken)
    this.#socket.on('message', this.take)
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
    return this.#port
  }

  /** A flow has no end of its own, so the ones to the old target are cut. */
  update(allocation: RelayAllocation): void {
    const before = this.#allocation
    this.#allocation = allocation
    this.rules.update(allocation.options)
    if (this.#flows.size > 0) this.#idle.start()
    if (!sameTarget(before, allocation)) {
      this.#intake.forgetRefusal()
      this.cutPlayers()
      return
    }
    for (const flow of [...this.#flows.values()])
      if (!this.rules.admits(plainAddress(flow.address))) flow.close('denied')
  }

  stopAccepting(): void {
    this.#accepting = false
    if (this.#flows.size === 0) void this.#close()
  }

  get handle(): Socket {
    return this.#socket
  }

  release(): never[] {
    this.#accepting = false
    for (const flow of [...this.#flows.values()]) flow.leave()
    void this.#close()
    return []
  }

  flows(): HandedFlow[] {
    return [...this.#flows.values()].map((flow) => flow.handed()).filter((flow) => flow !== undefined)
  }

  takePlayer(socket: { destroy(): void }): void {
    socket.destroy()
  }

  takeFlow(handed: HandedFlow): void {
    const { id, deviceId } = this.#allocation
    const table = this.#context.flows.find(deviceId)
    const { remoteAddress, remotePort } = handed.message
    if (table === undefined || this.#flows.get(handed.address, handed.port) !== undefined) return
    const about = { allocationId: id, protocol: 'udp' as const, remoteAddress, remotePort }
    const flow = new UdpFlow(handed, new ConnectionRecord(about, this.#traffic, this.#context.tell), this)
    this.#flows.add(flow.address, flow.port, flow)
    this.#places.set(flow, this.#intake.resume(flow.address))
    if (!handed.validated) this.#intake.add(flow)
    this.#idle.start()
    flow.resume(table, handed)
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

  /** A datagram has come to the public port. */
  readonly take = (payload: Buffer, from: RemoteInfo): void => {
    const flow = this.#flows.get(from.address, from.port) ?? this.#begin(from)
    if (flow === undefined) return
    if (payload.length > LARGE_DATAGRAM_BYTES && !this.#large.takes(flow, payload.length)) return
    flow.fromPlayer(payload)
  }

  send(payload: Buffer, port: number, address: string): boolean {
    return this.#sender.send(payload, port, address)
  }

  onValidated(flow: UdpFlow): void {
    this.#intake.remove(flow)
  }

  onRejected(): void {
    this.#intake.refuse()
  }

  onGone(flow: UdpFlow): void {
    this.#flows.delete(flow.address, flow.port)
    this.#intake.remove(flow)
    this.#places.get(flow)?.()
    this.#places.delete(flow)
    if (this.#flows.size > 0) return
    this.#idle.stop()
    if (!this.#accepting) void this.#close()
  }

  #begin(from: RemoteInfo): UdpFlow | undefined {
    const { address, port } = from
    const { id, deviceId, options } = this.#allocation
    if (this.#context.gate?.shut === true) return undefined
    if (!this.#accepting || port === 0 || this.#context.flows.find(deviceId)?.reachable !== true) return undefined
    const most = options?.maxConnections ?? Number.POSITIVE_INFINITY
    const entry = this.#intake.enter(address, port, this.#flows.size, most)
    if (entry === undefined) return undefined
    const player = { remoteAddress: plainAddress(address), remotePort: port }
    const about = { allocationId: id, protocol: 'udp' as const, ...player }
    const flow = new UdpFlow(from, new ConnectionRecord(about, this.#traffic, this.#context.tell), this)
    this.#flows.add(address, port, flow)
    this.#places.set(flow, entry.leave)
    this.#intake.add(flow, entry.sight)
    this.#idle.start()
    this.#ask(flow, player)
    return this.#flows.get(address, port)
  }

  /** May this player in? */
  #ask(flow: UdpFlow, player: Player): void {
    let decided = false
    const knock = { allocationId: this.#allocation.id, protocol: 'udp' as const, ...player }
    const withdraw = this.#context.admissions.ask(knock, (allowed) => {
      decided = true
      if (allowed) {
        this.#connect(flow, player)
        return
      }
      this.#intake.deny(flow)
      flow.close('denied')
    })
    if (!decided) flow.waitFor(withdraw)
  }

  #connect(flow: UdpFlow, player: Player): void {
    const { deviceId, id: allocationId, target } = this.#allocation
    const table = this.#context.flows.find(deviceId)
    if (table === undefined) {
      flow.close('no_link')
      return
    }
    const message: FlowMessage = { allocationId, target, ...player }
    if (this.rules.proxyProtocol !== 'none') {
      const pair = { protocol: 'udp' as const, localAddress: this.#context.bindHost, localPort: this.#port, ...player }
      message.header = proxyHeaderV2(pair).toString('base64')
    }
    flow.connect(table, message)
  }

  #adopt(taken: SocketSource<Socket>): Promise<number> {
    return new Promise((resolve, reject) => {
      taken((socket) => {
        if (this.#closed !== undefined) {
          socket.close()
          reject(new Error('closed while it came'))
          return
        }
        this.#socket.close()
        this.#socket = socket
        this.#sender = new BoundedSender(socket, this.maxBufferBytes)
        socket.on('error', () => {})
        socket.on('message', this.take)
        this.#port = socket.address().port
        resolve(this.#port)
      }, reject)
    })
  }

  #close(): Promise<void> {
    this.#idle.stop()
    this.#large.close()
    const close = () => new Promise<void>((resolve) => this.#socket.close(() => resolve()))
    // A close during a bind that fails would be lost; any other is at once, since the port may be wanted in the same state.
    this.#closed ??= this.#binding === undefined ? close() : this.#binding.then(close)
    return this.#closed
  }
}

interface Player {
  remoteAddress: string
  remotePort: number
}

function newBudget(): QueueBudget {
  return { usedBytes: 0, maxBytes: MAX_WAITING_BYTES }
}
