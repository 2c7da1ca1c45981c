import type { Logger, Sealer, Sql } from '@sallyport/core'
import { CONTROL_LIMITS, type ControlRelay, createTicketIssuer, type TicketIssuer } from '@sallyport/relay'
import type { RelayRow } from './relay-row.js'
import type { RelayTable } from './relay-table.js'

/** What devices dial: the relays that serve an allocation of theirs, on whichever instance those are. */
export interface RelayLinks {
  /** Each with a fresh ticket. A device that is left out has nothing to dial. */
  linksFor(deviceIds: readonly string[]): Promise<ReadonlyMap<string, ControlRelay[]>>
  /** A fresh ticket; `undefined` when the relay serves nothing of the device. */
  issueTicket(relayId: string, deviceId: string): Promise<string | undefined>
}

interface RelayLinksOptions {
  readonly sql: Sql
  readonly table: RelayTable
  readonly sealer: Sealer
  readonly logger: Logger
}

interface ServedDevice {
  readonly device_id: string
  readonly relay_id: string
  /** jti of the token in force: with another the ticket is void. */
  readonly token_id: string
}

const ticketLifeMs = 60_000

export function createRelayLinks({ sql, table, sealer, logger }: RelayLinksOptions): RelayLinks {
  /** By relay; those of relays that are gone are forgotten with the next that is made. */
  const issuers = new Map<string, { readonly sealed: string; readonly issuer: TicketIssuer | undefined }>()

  const issuerOf = (row: RelayRow, relays: ReadonlyMap<string, RelayRow>): TicketIssuer | undefined => {
    if (row.ticket_key === null) return undefined
    const known = issuers.get(row.id)
    if (known?.sealed === row.ticket_key) return known.issuer
    for (const id of issuers.keys()) if (!relays.has(id)) issuers.delete(id)
    const opened = sealer.open(row.ticket_key, row.id)
    if (!opened) logger.error({ relayId: row.id }, 'the key of the relay cannot be opened: it must connect anew')
    const issuer = opened && createTicketIssuer(row.id, opened.plaintext)
    issuers.set(row.id, { sealed: row.ticket_key, issuer })
    return issuer
  }

  const issue = (row: RelayRow, relays: ReadonlyMap<string, RelayRow>, served: ServedDevice): string | undefined =>
    issuerOf(row, relays)?.issue(served.device_id, {
      grant: served.token_id,
      expiresInMs: ticketLifeMs,
      clockOffsetMs: Math.round(row.clock_offset),
    })

  const read = (deviceIds: readonly string[], relayId: string | null): Promise<ServedDevice[]> =>
    sql<ServedDevice>(
      `SELECT DISTINCT a.device_id, a.relay_id, d.token_id
       FROM tunnel_allocations a JOIN tunnel_devices d ON d.id = a.device_id
       WHERE a.device_id IN (SELECT value::uuid FROM jsonb_array_elements_text($1::jsonb))
         AND ($2::text IS NULL OR a.relay_id = $2::text) AND d.token_id IS NOT NULL
       ORDER BY a.device_id, a.relay_id`,
      [JSON.stringify(deviceIds), relayId],
    )

  return {
    async linksFor(deviceIds) {
      const links = new Map<string, ControlRelay[]>()
      if (deviceIds.length === 0) return links
      const served = await read(deviceIds, null)
      if (served.length === 0) return links
      const relays = await relaysWith(table, served)
      for (const one of served) {
        const row = relays.get(one.relay_id)
        // One that only its panel misses goes on serving, so its links are given all the same.
        if (!row || row.gone_for_good) continue
        const ticket = issue(row, relays, one)
        if (ticket === undefined) continue
        const mine = links.get(one.device_id) ?? []
        if (mine.length < CONTROL_LIMITS.relays) mine.push(linkOf(row, ticket))
        links.set(one.device_id, mine)
      }
      return links
    },
    async issueTicket(relayId, deviceId) {
      const [served] = await read([deviceId], relayId)
      if (!served) return undefined
      const relays = await relaysWith(table, [served])
      const row = relays.get(relayId)
      return row && !row.gone_for_good ? issue(row, relays, served) : undefined
    },
  }
}

function linkOf({ id, name, host, data_port: port, fingerprint, encryption }: RelayRow, ticket: string): ControlRelay {
  return {
    id,
    ...(name === null ? {} : { name }),
    host,
    port,
    encryption,
    ...(fingerprint === null ? {} : { fingerprint }),
    ticket,
  }
}

/** A relay that came after the table was read is looked for once more. */
async function relaysWith(table: RelayTable, served: readonly ServedDevice[]): Promise<ReadonlyMap<string, RelayRow>> {
  const relays = await table.read()
  if (served.every(({ relay_id }) => relays.has(relay_id))) return relays
  table.forget()
  return table.read()
}
