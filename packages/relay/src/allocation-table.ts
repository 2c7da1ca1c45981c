import type { Emitter } from './emitter.js'
import type { PlayerContext } from './public-listener.js'
import { PublicPort } from './public-port.js'
import type { AllocationStatus, AllocationTraffic, RelayAllocation, RelayEvents } from './relay-types.js'
import { TcpListener } from './tcp-listener.js'
import { UdpListener } from './udp-listener.js'

/** The allocations in force. */
export class AllocationTable {
  readonly #context: PlayerContext
  readonly #events: Emitter<RelayEvents>
  readonly #ports: Map<number, PublicPort> = new Map()
  readonly #closing: Set<Promise<void>> = new Set()

  constructor(context: PlayerContext, events: Emitter<RelayEvents>) {
    this.#context = context
    this.#events = events
  }

  /**
   * Makes these the allocations in force, at once but for the binding: every port that is to be freed is, before the first is bound, so
   * that ports may be exchanged. Resolves when each new one is bound or has failed.
   */
  async reconcile(allocations: readonly RelayAllocation[]): Promise<void> {
    const desired = new Map(allocations.map((allocation) => [allocation.id, allocation]))
    const opening: PublicPort[] = []
    for (const [id, port] of [...this.#ports]) {
      const next = desired.get(id)
      if (next === undefined) {
        this.#ports.delete(id)
        this.#close(port)
        this.#events.emit('allocation', { allocationId: id, status: 'removed' })
      } else if (!samePlace(port.allocation, next)) {
        this.#close(port)
        opening.push(this.#replace(next, port.traffic))
      } else if (!sameTarget(port.allocation, next)) {
        port.retarget(next)
      }
    }
    for (const [id, allocation] of desired)
      if (!this.#ports.has(id)) opening.push(this.#replace(allocation, noTraffic(id)))
    await Promise.all(opening.map((port) => port.open()))
  }

  status(): AllocationStatus[] {
    return [...this.#ports.values()].map((port) => port.status())
  }

  traffic(): AllocationTraffic[] {
    return [...this.#ports.values()].map((port) => ({ ...port.traffic }))
  }

  /** Breaks off the players of this device and goes on listening. */
  cutDevice(deviceId: string): void {
    for (const port of this.#ports.values()) if (port.allocation.deviceId === deviceId) port.cutPlayers()
  }

  async drain(): Promise<void> {
    for (const port of this.#ports.values()) port.stopAccepting()
    await Promise.all([...this.#ports.values()].map((port) => port.drained()))
  }

  /** Resolves when every socket is closed, also of the ports that were closed before. */
  async close(): Promise<void> {
    for (const port of this.#ports.values()) this.#close(port)
    this.#ports.clear()
    await Promise.all(this.#closing)
  }

  #close(port: PublicPort): void {
    const closed = port.close().finally(() => this.#closing.delete(closed))
    this.#closing.add(closed)
  }

  #replace(allocation: RelayAllocation, traffic: AllocationTraffic): PublicPort {
    const { id } = allocation
    const create = allocation.protocol === 'tcp' ? TcpListener : UdpListener
    const port = new PublicPort(
      allocation,
      traffic,
      this.#context,
      (...given) => new create(...given),
      (status, error) => {
        const event: RelayEvents['allocation'] = { allocationId: id, status }
        if (error !== undefined) event.error = error
        this.#context.logger.info({ ...event, protocol: allocation.protocol, port: port.status().port }, 'allocation')
        this.#events.emit('allocation', event)
      },
    )
    this.#ports.set(id, port)
    return port
  }
}

function samePlace(a: RelayAllocation, b: RelayAllocation): boolean {
  const samePort = a.protocol === b.protocol && a.port === b.port
  return samePort && a.deviceId === b.deviceId && (a.paused === true) === (b.paused === true)
}

function sameTarget(a: RelayAllocation, b: RelayAllocation): boolean {
  return a.target.host === b.target.host && a.target.port === b.target.port
}

function noTraffic(allocationId: number): AllocationTraffic {
  return { allocationId, bytesIn: 0, bytesOut: 0, connections: 0, open: 0 }
}
