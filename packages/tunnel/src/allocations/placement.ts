import {
  coreErrors,
  type Database,
  isDatabaseUnavailable,
  type SettingsHandle,
  type Sql,
  type UserDirectory,
} from '@sallyport/core'
import type { AllocationOptions } from '@sallyport/relay'
import type { Transaction } from 'sequelize'
import type { Ownership } from '../access.js'
import { type Batched, createBatched } from '../batched.js'
import { isAlive } from '../gateway/instance-lease.js'
import type { ChosenRelay } from '../relays/relay-choice.js'
import { isGoneForGood } from '../relays/relay-row.js'
import { lock } from '../sql.js'
import { type AllocationRow, selectAllocationsFrom } from './allocation.js'
import { choosePorts } from './choose-ports.js'
import type { Protocol } from './ports.js'
import {
  countBySubject,
  holdDevices,
  maxAllocationsPerDevice,
  type Quota,
  type QuotaSettings,
  quotaLock,
  quotaOf,
  subjectOf,
} from './quotas.js'

/** What is to be placed on one relay. */
export interface Placing {
  readonly device: Ownership
  readonly relay: ChosenRelay
  readonly protocols: readonly Protocol[]
  /** Wanted number, within the relay's range. */
  readonly port: number | undefined
  /** Numbers that other programs have there. */
  readonly avoid: ReadonlySet<number>
  readonly localHost: string
  readonly localPort: number
  readonly name: string | null
  readonly options: AllocationOptions
}

/** What came of it. */
export type Placed =
  | { readonly kind: 'made'; readonly rows: readonly AllocationRow[] }
  | { readonly kind: 'device_gone' | 'not_approved' | 'no_port' | 'relay_gone' }
  | { readonly kind: 'quota'; readonly limit: number }

const concurrency = 1
const maxBatch = 128
const maxWaiting = 2_000
const waitTimeoutMs = 30_000
const retryAfterSeconds = 5

interface PlacementOptions {
  readonly database: Database
  readonly sql: Sql
  readonly quotas: SettingsHandle<QuotaSettings>
  readonly directory: UserDirectory | undefined
}

/**
 * Places allocations, those that are asked for at the same time in one transaction: it holds the locks on the quotas and
 * host groups concerned, so a quota is kept and no number is given twice, on however many instances.
 */
export function createPlacement(options: PlacementOptions): Batched<Placing, Placed> {
  const { database, sql, quotas, directory } = options

  const readQuotas = async (items: readonly Placing[]): Promise<Map<string, Quota>> => {
    const devices = new Map(items.map(({ device }) => [subjectOf(device), device]))
    // Before the transaction: on the embedded database nothing else is asked during one.
    const found = await Promise.all([...devices.values()].map((device) => quotaOf(device, quotas.value, directory)))
    return new Map(found.map((quota) => [quota.subject, quota]))
  }

  const placeAll = async (
    items: readonly Placing[],
    limits: ReadonlyMap<string, Quota>,
    transaction: Transaction,
  ): Promise<Placed[]> => {
    await lock(sql, transaction, ...locksOf(items))
    const refused = await refuse(sql, transaction, items, limits)
    const asked = items.filter((item) => !refused.has(item))
    const ports = await choosePorts(sql, transaction, asked)
    const rows = await insert(sql, transaction, ports)
    return items.map((item) => {
      const port = ports.get(item)
      if (port === undefined) return refused.get(item) ?? { kind: 'no_port' }
      const made = item.protocols.flatMap((protocol) => rows.get(rowKey(item.relay.id, protocol, port)) ?? [])
      return made.length === item.protocols.length ? { kind: 'made', rows: made } : { kind: 'relay_gone' }
    })
  }

  return createBatched<Placing, Placed>({
    async work(items) {
      const limits = await readQuotas(items)
      return database.transaction((transaction) => placeAll(items, limits, transaction))
    },
    concurrency,
    maxBatch,
    maxWaiting,
    waitTimeoutMs,
    mayBePoison: (error) => !isDatabaseUnavailable(error),
    busy: () =>
      coreErrors.UNAVAILABLE({ reason: 'Too many allocations are being made' }, { retryAfter: retryAfterSeconds }),
  })
}

/** In one order everywhere, so that no two transactions wait for each other. */
function locksOf(items: readonly Placing[]): string[] {
  const names = items.flatMap(({ device, relay }) => [quotaLock(subjectOf(device)), `ports:${relay.hostGroup}`])
  return [...new Set(names)].sort()
}

/** Those that their device or quota has no place for. */
async function refuse(
  sql: Sql,
  transaction: Transaction,
  items: readonly Placing[],
  limits: ReadonlyMap<string, Quota>,
): Promise<Map<Placing, Placed>> {
  const devices = await holdDevices(sql, transaction, [...new Set(items.map(({ device }) => device.id))])
  const owners = new Map(items.map(({ device }) => [subjectOf(device), device]))
  const counted = await countBySubject(sql, transaction, owners)
  const ofDevice = new Map([...devices].map(([id, { allocations }]) => [id, allocations]))
  const refused = new Map<Placing, Placed>()
  for (const item of items) {
    const { device, protocols } = item
    const subject = subjectOf(device)
    const found = devices.get(device.id)
    const limit = limits.get(subject)?.limit ?? 0
    const [held, heldByDevice] = [counted.get(subject) ?? 0, ofDevice.get(device.id) ?? 0]
    if (!found) refused.set(item, { kind: 'device_gone' })
    else if (!found.usable) refused.set(item, { kind: 'not_approved' })
    else if (held + protocols.length > limit) refused.set(item, { kind: 'quota', limit })
    else if (heldByDevice + protocols.length > maxAllocationsPerDevice) {
      refused.set(item, { kind: 'quota', limit: maxAllocationsPerDevice })
    } else {
      // Counted though there may be no port for it: who asks at the same time as one more may be refused, and asks again.
      counted.set(subject, held + protocols.length)
      ofDevice.set(device.id, heldByDevice + protocols.length)
    }
  }
  return refused
}

/** Makes the rows. A relay that has gone since it was chosen gets none. */
async function insert(
  sql: Sql,
  transaction: Transaction,
  ports: ReadonlyMap<Placing, number>,
): Promise<Map<string, AllocationRow>> {
  if (ports.size === 0) return new Map()
  const wanted = [...ports].flatMap(([item, port]) =>
    item.protocols.map((protocol) => ({
      host_group: item.relay.hostGroup,
      relay_id: item.relay.id,
      protocol,
      port,
      device_id: item.device.id,
      local_host: item.localHost,
      local_port: item.localPort,
      name: item.name,
      options: item.options,
    })),
  )
  const rows = await sql<AllocationRow>(
    `WITH wanted AS (
       SELECT w.* FROM jsonb_to_recordset($1::jsonb) AS w (
         host_group text, relay_id text, protocol text, port integer, device_id uuid, local_host text,
         local_port integer, name text, options jsonb)
       JOIN tunnel_relays r ON r.id = w.relay_id
       WHERE ${isAlive('r.instance_id')} AND NOT ${isGoneForGood}),
     no_longer_kept AS (
       DELETE FROM tunnel_held_ports h USING wanted w
       WHERE (h.host_group, h.port, h.protocol) = (w.host_group, w.port, w.protocol)),
     made AS (
       INSERT INTO tunnel_allocations
         (host_group, relay_id, protocol, port, device_id, local_host, local_port, name, options)
       SELECT host_group, relay_id, protocol, port, device_id, local_host, local_port, name, options FROM wanted
       RETURNING *)
     ${selectAllocationsFrom('made')}`,
    [JSON.stringify(wanted)],
    transaction,
  )
  return new Map(rows.map((row) => [rowKey(row.relay_id, row.protocol, row.port), row]))
}

function rowKey(relayId: string, protocol: Protocol, port: number): string {
  return `${protocol} ${port} ${relayId}`
}
