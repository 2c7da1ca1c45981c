import type { Emitter } from '../emitter.js'
import { UdpListener } from '../flows/udp-listener.js'
import { DeviceGrants } from '../identity/device-grants.js'
import type { PlayerContext } from '../players/public-listener.js'
import { PublicPort } from '../players/public-port.js'
import { TcpListener } from '../players/tcp-listener.js'
import type { AllocationStatus, AllocationTraffic, RelayAllocation, RelayEvents } from '../relay-types.js'
import { samePlace } from './same-allocation.js'

interface AllocationTableOptions {
  context: PlayerContext
  events: Emitter<RelayEvents>
  /** By allocation; of whoever made the table, since it outlives it. */
  totals: Map<number, AllocationTraffic>
  /** Another grant holds for this device than before; `first`: before there was none. Before anything new is bound. */
  onGrant: (deviceId: string, first: boolean) => void
}

/** The allocations in force. */
export class AllocationTable {
  readonly #options: AllocationTableOptions
  readonly #ports: Map<number, PublicPort> = new Map()
  readonly #byDevice: Map<string, Set<number>> = new Map()
  readonly #grants: DeviceGrants = new DeviceGrants()
  readonly #closing: Set<Promise<void>> = new Set()

  constructor(options: AllocationTableOptions) {
    this.#options = options
  }

  /** Makes these the allocations in force, and no others. See `change`. */
  async reconcile(allocations: readonly RelayAllocation[]): Promise<void> {
    const desired = new Set(allocations.map(({ id }) => id))
    await this.change(
      allocations,
      [...this.#options.totals.keys()].filter((id) => !desired.has(id)),
    )
  }

  /**
   * Brings changes into force, at once but for the binding: every port that is to be freed is, before the first is bound, so
   * that ports may be exchanged. Resolves when each new one is bound or has failed.
   */
  async change(upsert: readonly RelayAllocation[], remove: readonly number[]): Promise<void> {
    const before = new Map<string, string>()
    for (const id of remove) this.#remove(id, before)
    const moved = upsert.map((allocation) => this.#put(allocation, before)).filter((port) => port !== undefined)
    for (const [deviceId, fingerprint] of before) {
      const now = this.#grants.fingerprint(deviceId)
      if (now !== fingerprint && now !== '') this.#options.onGrant(deviceId, fingerprint === '')
    }
    await Promise.all(moved.map((port) => port.open()))
  }

  status(): AllocationStatus[] {
    return [...this.#ports.values()].map((port) => port.status())
  }

  /** Whether tickets and links of this device with this grant count. */
  accepts(deviceId: string, grant: string | undefined): boolean {
    return this.#grants.accepts(deviceId, grant)
  }

  /** Breaks off the players of this device and goes on listening. */
  cutDevice(deviceId: string): void {
    for (const id of this.#byDevice.get(deviceId) ?? []) this.#ports.get(id)?.cutPlayers()
  }

  get(id: number): PublicPort | undefined {
    return this.#ports.get(id)
  }

  ports(): PublicPort[] {
    return [...this.#ports.values()]
  }

  /** As far as it concerns who is here still, when another process has the ports. */
  follow(upsert: readonly RelayAllocation[], gone: readonly number[]): void {
    for (const id of gone) this.#ports.get(id)?.cutPlayers()
    for (const next of upsert) {
      const port = this.#ports.get(next.id)
      if (port === undefined) continue
      const { grant } = port.allocation
      if (!samePlace(port.allocation, next) || grant !== next.grant) port.cutPlayers()
      else port.update(next)
    }
  }

  /** The same for a whole state. */
  followAll(allocations: readonly RelayAllocation[]): void {
    const desired = new Set(allocations.map(({ id }) => id))
    this.follow(
      allocations,
      [...this.#ports.keys()].filter((id) => !desired.has(id)),
    )
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

  #remove(id: number, before: Map<string, string>): void {
    this.#options.totals.delete(id)
    const port = this.#ports.get(id)
    if (port === undefined) return
    this.#unlist(port.allocation, before)
    this.#ports.delete(id)
    this.#close(port)
    this.#options.events.emit('allocation', { allocationId: id, port: port.status().port, status: 'removed' })
  }

  /** Gives the port that is to be opened, if any. */
  #put(next: RelayAllocation, before: Map<string, string>): PublicPort | undefined {
    const port = this.#ports.get(next.id)
    const known = port?.allocation
    if (known === undefined || known.deviceId !== next.deviceId || known.grant !== next.grant) {
      if (known !== undefined) this.#unlist(known, before)
      this.#list(next, before)
    }
    if (port === undefined) return this.#create(next)
    if (samePlace(port.allocation, next)) {
      port.update(next)
      return undefined
    }
    this.#close(port)
    return this.#create(next)
  }

  #list({ id, deviceId, grant }: RelayAllocation, before: Map<string, string>): void {
    this.#note(deviceId, before)
    this.#grants.add(deviceId, grant)
    const ids = this.#byDevice.get(deviceId) ?? new Set()
    this.#byDevice.set(deviceId, ids)
    ids.add(id)
  }

  #unlist({ id, deviceId, grant }: RelayAllocation, before: Map<string, string>): void {
    this.#note(deviceId, before)
    this.#grants.remove(deviceId, grant)
    const ids = this.#byDevice.get(deviceId)
    ids?.delete(id)
    if (ids?.size === 0) this.#byDevice.delete(deviceId)
  }

  #note(deviceId: string, before: Map<string, string>): void {
    if (!before.has(deviceId)) before.set(deviceId, this.#grants.fingerprint(deviceId))
  }

  #close(port: PublicPort): void {
    const closed = port.close().finally(() => this.#closing.delete(closed))
    this.#closing.add(closed)
  }

  #create(allocation: RelayAllocation): PublicPort {
    const { id } = allocation
    const { context, events, totals } = this.#options
    const traffic = totals.get(id) ?? noTraffic(id)
    totals.set(id, traffic)
    const create = allocation.protocol === 'tcp' ? TcpListener : UdpListener
    const port = new PublicPort(
      allocation,
      traffic,
      context,
      (...given) => new create(...given),
      (status, error) => {
        const event: RelayEvents['allocation'] = { allocationId: id, port: port.status().port, status }
        if (error !== undefined) event.error = error
        context.logger.info({ ...event, protocol: allocation.protocol }, 'allocation')
        events.emit('allocation', event)
      },
    )
    this.#ports.set(id, port)
    return port
  }
}

function noTraffic(allocationId: number): AllocationTraffic {
  return { allocationId, bytesIn: 0, bytesOut: 0, connections: 0, open: 0 }
}
