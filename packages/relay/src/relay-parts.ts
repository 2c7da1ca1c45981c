import { RelayDatagramEndpoint } from './datagrams/relay-datagram-endpoint.js'
import type { Emitter } from './emitter.js'
import { RelayError } from './errors.js'
import { RelayFlows } from './flows/relay-flows.js'
import { PlayerGate } from './handover/player-gate.js'
import type { TakenSockets } from './handover/taken-sockets.js'
import type { TicketMemory } from './identity/ticket-memory.js'
import { Tickets } from './identity/tickets.js'
import { DataListener } from './link/data-listener.js'
import { DeviceLinks } from './link/device-links.js'
import { Permits } from './permits.js'
import type { Admissions } from './players/admissions.js'
import { Descriptors } from './players/descriptors.js'
import { HeldPlayers } from './players/held-players.js'
import { ReadyPools } from './pool/ready-pools.js'
import type { ResolvedRelayOptions } from './relay-options.js'
import type { AllocationTraffic, CertificatePair, RelayEvents, RelayStatistics } from './relay-types.js'
import { AllocationTable } from './state/allocation-table.js'

/** What a relay works with from `start()` to `stop()`. */
export interface RelayParts {
  tickets: Tickets
  links: DeviceLinks
  pools: ReadyPools
  data: DataListener
  datagrams: RelayDatagramEndpoint
  flows: RelayFlows
  table: AllocationTable
  /** Shut while the relay is being handed over. */
  gate: PlayerGate
}

export interface RelayPartsOptions {
  options: ResolvedRelayOptions
  ticketKey: Uint8Array
  /** Undefined: without encryption. */
  certificate: CertificatePair | undefined
  memory: TicketMemory
  admissions: Admissions
  events: Emitter<RelayEvents>
  totals: Map<number, AllocationTraffic>
  /** Sockets of the process before this one. */
  taken?: TakenSockets | undefined
}

/** Makes the parts and connects them. Opens nothing. */
export function createRelayParts(given: RelayPartsOptions): RelayParts {
  const { events, admissions, totals, memory, ticketKey, certificate, taken } = given
  const { id, bindHost, limits, logger } = given.options
  const tickets = new Tickets(id, ticketKey, memory, limits)
  const held = new HeldPlayers(limits)
  const gate = new PlayerGate()
  const descriptors = new Descriptors()
  const pools = new ReadyPools(limits)
  const datagrams = new RelayDatagramEndpoint(bindHost)
  const flows = new RelayFlows({
    limits,
    createChannel: (_deviceId, hooks) => datagrams.open({ limits, ...hooks }),
    wake: (deviceId) => links.wake(deviceId),
  })
  const links: DeviceLinks = new DeviceLinks({
    tickets,
    accepts: (deviceId, grant) => table.accepts(deviceId, grant),
    limits,
    logger,
    onWelcome: (deviceId) => flows.welcome(deviceId).id,
    onLink: (deviceId, connected) => {
      events.emit('link', { deviceId, connected })
      if (connected) held.linked(deviceId)
    },
    onOrders: (deviceId, link) => pools.setLink(deviceId, link),
    onShort: (deviceId, message) => pools.short(deviceId, message),
    onSession: (deviceId, secrets) => {
      if (secrets === undefined) flows.sessionEnd(deviceId)
      else flows.find(deviceId)?.channel.attach(secrets)
    },
  })
  const data = new DataListener({
    host: bindHost,
    limits,
    logger,
    descriptors,
    certificate,
    onLink: (socket, message) => links.accept(socket, message),
    onData: (socket, token) => pools.connect(token, socket),
    onDatagrams: (socket, message) => datagrams.acceptStream(socket, message),
    expected: () => pools.expected,
    expectedFrom: (source) => pools.expectedFrom(source),
  })
  const permits = new Permits(limits.maxConnections)
  const tell = (event: RelayEvents['connection']) => events.emit('connection', event)
  const table: AllocationTable = new AllocationTable({
    context: { bindHost, limits, logger, held, pools, admissions, flows, permits, descriptors, tell, gate, taken },
    events,
    totals,
    onGrant: (deviceId, first) => enforceGrant({ links, flows, table }, deviceId, first),
  })
  return { tickets, links, pools, data, datagrams, flows, table, gate }
}

/** What was let in by another grant has to go. Players who came before there was any may stay with a link that has it. */
function enforceGrant(
  { links, flows, table }: Pick<RelayParts, 'links' | 'flows' | 'table'>,
  deviceId: string,
  first: boolean,
): void {
  const accepted = links.accepted(deviceId)
  if (!accepted) links.disconnect(deviceId)
  if (!accepted || !first) table.cutDevice(deviceId)
  if (!accepted) flows.revoke(deviceId)
}

/** Ends its link, its players and every ticket that was issued to it. */
export function revokeDevice({ tickets, links, table, flows }: RelayParts, deviceId: string): void {
  tickets.revoke(deviceId)
  links.disconnect(deviceId)
  table.cutDevice(deviceId)
  flows.revoke(deviceId)
}

/** See `Relay.statistics`. */
export function countParts({ links, pools, datagrams }: Partial<RelayParts> = {}): RelayStatistics {
  return {
    links: links?.size ?? 0,
    readyConnections: pools?.ready ?? 0,
    waitingPlayers: pools?.waiting ?? 0,
    droppedPackets: datagrams?.dropped ?? { unknown: 0, replayed: 0, forged: 0, unsent: 0 },
  }
}

/** Lets players finish until then, cuts those who are still there and closes everything. @param over default: at once */
export async function closeParts(parts: RelayParts, over?: Promise<void>): Promise<void> {
  const { table, links, data, datagrams, flows } = parts
  const drained = table.drain()
  if (over !== undefined) await Promise.race([drained, over])
  const tableClosed = table.close()
  links.closeAll()
  await Promise.all([tableClosed, data.close()])
  flows.close()
  await datagrams.close()
}

const MAX_PORT_TRIES = 10

/**
 * Binds the data port, the same number for TCP and UDP; 0 picks one that is free for both. Rejects with RELAY_ERR_DATA_PORT and leaves
 * nothing open.
 */
export async function openDataPort({ data, datagrams }: RelayParts, host: string, port: number): Promise<number> {
  for (let tries = 1; ; tries += 1) {
    const bound = await data.listen(port)
    try {
      return await datagrams.listen(bound)
    } catch (error) {
      await data.close()
      if (port === 0 && tries < MAX_PORT_TRIES) continue
      const code = (error as NodeJS.ErrnoException).code ?? 'unknown'
      throw new RelayError('RELAY_ERR_DATA_PORT', `${code} on ${host} UDP port ${bound}`, { cause: error })
    }
  }
}
