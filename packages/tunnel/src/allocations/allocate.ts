import { coreErrors, type Principal, type Sql } from '@sallyport/core'
import type { AllocationOptions } from '@sallyport/relay'
import type { AuditTrail, Caller } from '../audit-trail.js'
import type { Batched } from '../batched.js'
import type { ChangeFeed } from '../change-feed.js'
import type { Devices, OwnedDevice } from '../devices/devices.js'
import { tunnelErrors } from '../errors.js'
import type { HookRunner } from '../hooks/hook-runner.js'
import type { OtherInstances } from '../other-instances.js'
import type { ChosenRelay } from '../relays/relay-choice.js'
import type { RelayRequest } from '../relays/relay-policy.js'
import { type Allocation, type AllocationRow, type LiveAllocations, selectAllocations } from './allocation.js'
import { checkLocalHost } from './local-host.js'
import { checkOptions } from './options.js'
import type { Placed, Placing } from './placement.js'
import type { Protocol } from './ports.js'
import type { Presenter } from './presenter.js'

export interface AllocationRequest {
  readonly deviceId: string | undefined
  readonly protocol: Protocol | 'both'
  readonly localHost: string | undefined
  readonly localPort: number
  /** Wanted public port. */
  readonly port: number | undefined
  /** Wanted region. */
  readonly region: string | undefined
  readonly name: string | undefined
  readonly options: AllocationOptions | undefined
}

/** The relays, as the making of allocations sees them. */
export interface AllocatingRelays {
  /** The best first. */
  choose(request: RelayRequest): Promise<readonly ChosenRelay[]>
  /** Resolves when the relays of these allocations have said what became of them, or will not in time. Never rejects. */
  waitServed(ids: readonly number[]): Promise<void>
  snapshot(): LiveAllocations
}

interface AllocateOptions {
  readonly sql: Sql
  readonly devices: Devices
  readonly placement: Batched<Placing, Placed>
  readonly relays: AllocatingRelays
  readonly otherInstances: OtherInstances
  readonly hooks: HookRunner
  readonly feed: ChangeFeed
  readonly present: Presenter
  readonly audit: AuditTrail
}

const defaultLocalHost = '127.0.0.1'
/** Ports are given back when people are done with them; a relay is often just on its way. */
const retryAfterSeconds = { noneFree: 30, noRelay: 5 }
/** Numbers tried one after the other when other programs on the relay's machine have them. */
const maxTries = 5
/** Relays tried one after the other. */
const maxRelays = 8

/**
 * Makes allocations: one, or for `both` one for TCP and one for UDP on one number, or nothing at all. When it resolves, the
 * relay has taken them, or, when another instance steers it, had two seconds to.
 */
export function createAllocate(
  options: AllocateOptions,
): (request: AllocationRequest, by: Caller & { principal: Principal }) => Promise<Allocation[]> {
  const { sql, devices, placement, relays, otherInstances, hooks, feed, present, audit } = options

  const noRelay = () => tunnelErrors.NO_RELAY_AVAILABLE(undefined, { retryAfter: retryAfterSeconds.noRelay })
  const noneFree = () => tunnelErrors.NO_PORTS_AVAILABLE(undefined, { retryAfter: retryAfterSeconds.noneFree })

  const choose = async (device: OwnedDevice, { protocol, region, port }: AllocationRequest): Promise<ChosenRelay[]> => {
    const { id: deviceId, ownerId, organisationId } = device
    const request = { deviceId, ownerId, organisationId, region: region ?? null, protocols: protocolsOf(protocol) }
    const chosen = (await relays.choose(request)).slice(0, maxRelays)
    const [first] = chosen
    if (!first) throw noRelay()
    const fitting = chosen.filter(({ portRange: { from, to } }) => port === undefined || (port >= from && port <= to))
    if (fitting.length === 0) throw tunnelErrors.PORT_OUT_OF_RANGE(first.portRange)
    return reachable(device, fitting)
  }

  /** Those that can be told of it now. */
  const reachable = async (device: OwnedDevice, chosen: readonly ChosenRelay[]): Promise<ChosenRelay[]> => {
    const checked = await Promise.allSettled(
      chosen.map(async (relay) => {
        await otherInstances.assertNotNeeded(device.id, relay.id)
        return relay
      }),
    )
    const found = checked.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
    const refused = checked.find((one) => one.status === 'rejected')
    if (found.length === 0 && refused) throw refused.reason
    return found
  }

  /** Takes back what the relay cannot bind: another program has the number. */
  const takeBack = async (rows: readonly AllocationRow[]): Promise<void> => {
    await sql(
      `DELETE FROM tunnel_allocations WHERE id IN (SELECT value::bigint FROM jsonb_array_elements_text($1::jsonb))`,
      [JSON.stringify(idsOf(rows))],
    )
    await announce(rows)
  }

  const announce = (rows: readonly AllocationRow[]): Promise<void> =>
    feed.announce(
      rows.map((row) => row.device_id),
      rows.map((row) => row.relay_id),
    )

  /** Brings them to their relay. Gives them as they are then, or, when one was removed meanwhile, as they were made. */
  const serve = async (rows: readonly AllocationRow[]): Promise<readonly AllocationRow[]> => {
    const served = relays.waitServed(idsOf(rows))
    await announce(rows)
    if (!rows.some((row) => relays.snapshot().state(row) === 'pending')) return rows
    await served
    const after = await sql<AllocationRow>(
      `${selectAllocations} WHERE a.id IN (SELECT value::bigint FROM jsonb_array_elements_text($1::jsonb)) ORDER BY a.id`,
      [JSON.stringify(idsOf(rows))],
    )
    return after.length === rows.length ? after : rows
  }

  /** `full`: the relay has no number for it. */
  const placeOn = async (
    relay: ChosenRelay,
    item: Omit<Placing, 'relay' | 'avoid'>,
  ): Promise<readonly AllocationRow[] | 'full' | 'gone'> => {
    const avoid = new Set<number>()
    while (avoid.size < maxTries) {
      const placed = await placement.run({ ...item, relay, avoid })
      if (placed.kind === 'no_port') return 'full'
      if (placed.kind === 'relay_gone') return 'gone'
      if (placed.kind !== 'made') throw refusalOf(placed)
      const rows = await serve(placed.rows)
      const live = relays.snapshot()
      if (!rows.some((row) => live.state(row) === 'failed')) return rows
      await takeBack(rows)
      for (const { port } of rows) avoid.add(port)
      if (item.port !== undefined) return 'full'
    }
    return 'full'
  }

  return async (request, by) => {
    const { principal } = by
    const deviceId = request.deviceId ?? (principal.kind === 'device' ? principal.id : undefined)
    if (deviceId === undefined) throw tunnelErrors.DEVICE_REQUIRED()
    const device = await devices.find(deviceId, principal, 'write')
    if (!device.approved) throw tunnelErrors.DEVICE_NOT_APPROVED()
    if (device.kind === 'server') throw tunnelErrors.WRONG_KIND()
    const { protocol, localPort, port, name = null } = request
    const localHost = checkLocalHost(request.localHost ?? defaultLocalHost)
    const protocols = protocolsOf(protocol)
    const item = {
      device,
      protocols,
      port,
      localHost,
      localPort,
      name,
      options: checkOptions(request.options ?? {}, protocols),
    }
    const chosen = await choose(device, request)
    const { ownerId, organisationId } = device
    const target = { protocol, localHost, localPort, port }
    await hooks.beforeAllocation({ deviceId: device.id, ownerId, organisationId, ...target, principal })

    const full = new Set<string>()
    for (const relay of chosen) {
      // Another relay of the group has the same numbers.
      const numbers = JSON.stringify([relay.hostGroup, relay.portRange])
      if (full.has(numbers)) continue
      const rows = await placeOn(relay, item)
      if (rows === 'gone') continue
      if (rows === 'full') {
        full.add(numbers)
        continue
      }
      await Promise.all(rows.map((row) => recordCreation(row, by)))
      return present(rows)
    }
    if (full.size === 0) throw noRelay()
    throw port === undefined ? noneFree() : tunnelErrors.PORT_TAKEN({ port })
  }

  async function recordCreation(row: AllocationRow, by: Caller): Promise<void> {
    const { device_id: deviceId, relay_id: relayId, protocol, port } = row
    const data = { deviceId, relayId, protocol, port, localHost: row.local_host, localPort: row.local_port }
    await audit.allocation('created', Number(row.id), by, data)
  }
}

function refusalOf(placed: Exclude<Placed, { kind: 'made' }>): Error {
  switch (placed.kind) {
    case 'quota':
      return tunnelErrors.QUOTA_EXCEEDED({ limit: placed.limit })
    case 'not_approved':
      return tunnelErrors.DEVICE_NOT_APPROVED()
    case 'device_gone':
      return tunnelErrors.DEVICE_UNKNOWN()
    default:
      return coreErrors.CONFLICT({ reason: 'There is no place for it' })
  }
}

function protocolsOf(protocol: Protocol | 'both'): readonly Protocol[] {
  return protocol === 'both' ? ['tcp', 'udp'] : [protocol]
}

function idsOf(rows: readonly AllocationRow[]): number[] {
  return rows.map(({ id }) => Number(id))
}
