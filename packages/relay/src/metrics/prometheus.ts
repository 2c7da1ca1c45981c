import type { CloseReason, Relay } from '../relay-types.js'

/** What `relayMetrics` asks of a relay. */
export type MeasuredRelay = Pick<Relay, 'id' | 'traffic' | 'status' | 'statistics'>

/** Players who were let go before they reached their service, by reason, since the counting began. */
export interface RefusalCounts {
  readonly byReason: ReadonlyMap<CloseReason, number>
  /** Ends the counting. */
  stop(): void
}

/** Media type of what `relayMetrics` gives. */
export const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

/** Counts on from now. UDP players who were not let in by a limit or by `allow` and `deny` make no event and are not in it. */
export function countRefusals(relay: Pick<Relay, 'on'>): RefusalCounts {
  const byReason = new Map<CloseReason, number>()
  const stop = relay.on('connection', ({ phase, reason }) => {
    if (phase === 'refused' && reason !== undefined) byReason.set(reason, (byReason.get(reason) ?? 0) + 1)
  })
  return { byReason, stop }
}

/**
 * A relay's figures as they are now, in Prometheus' text exposition format 0.0.4. Counters are since `createRelay`, that of
 * packets since `start()`; each series has the label `relay`. Names begin with `sallyport_relay_`; no other part of Sallyport has such.
 */
export function relayMetrics(relay: MeasuredRelay, refusals?: RefusalCounts): string {
  const labels = { relay: relay.id }
  const { running, allocations } = relay.status()
  const { links, readyConnections, waitingPlayers, droppedPackets } = relay.statistics()
  const traffic = relay.traffic()
  const byAllocation = (value: (one: (typeof traffic)[number]) => number): Sample[] =>
    traffic.map((one) => [{ ...labels, allocation: one.allocationId }, value(one)])
  const conditions = new Map<string, number>([
    ['listening', 0],
    ['starting', 0],
    ['failed', 0],
    ['paused', 0],
  ])
  for (const { status } of allocations) conditions.set(status, (conditions.get(status) ?? 0) + 1)
  return [
    metric('up', 'gauge', '1 while the relay runs.', [[labels, running ? 1 : 0]]),
    metric('links', 'gauge', 'Devices whose agent has a link.', [[labels, links]]),
    metric('data_connections_ready', 'gauge', 'Data connections that wait for a player.', [[labels, readyConnections]]),
    metric('players_waiting', 'gauge', 'TCP players who wait for a data connection.', [[labels, waitingPlayers]]),
    metric(
      'packets_dropped_total',
      'counter',
      'UDP packets of the data port that came to nothing, by reason.',
      Object.entries(droppedPackets).map(([reason, count]) => [{ ...labels, reason }, count]),
    ),
    metric(
      'allocations',
      'gauge',
      'Allocations in force, by status.',
      [...conditions].map(([status, count]) => [{ ...labels, status }, count]),
    ),
    metric(
      'received_bytes_total',
      'counter',
      'Payload from players.',
      byAllocation(({ bytesIn }) => bytesIn),
    ),
    metric(
      'sent_bytes_total',
      'counter',
      'Payload to players.',
      byAllocation(({ bytesOut }) => bytesOut),
    ),
    metric(
      'connections_total',
      'counter',
      'Connections and UDP flows that reached their service.',
      byAllocation(({ connections }) => connections),
    ),
    metric(
      'connections_open',
      'gauge',
      'Of these, open now.',
      byAllocation(({ open }) => open),
    ),
    metric(
      'refused_total',
      'counter',
      'Players who were let go before they reached their service, by reason.',
      [...(refusals?.byReason ?? [])].map(([reason, count]) => [{ ...labels, reason }, count]),
    ),
  ].join('')
}

type Sample = readonly [labels: Readonly<Record<string, string | number>>, value: number]

/** Without samples there is no metric. */
function metric(name: string, type: 'counter' | 'gauge', help: string, samples: readonly Sample[]): string {
  if (samples.length === 0) return ''
  const full = `sallyport_relay_${name}`
  const lines = samples.map(([labels, value]) => `${full}{${labelsText(labels)}} ${value}\n`)
  return `# HELP ${full} ${help}\n# TYPE ${full} ${type}\n${lines.join('')}`
}

function labelsText(labels: Sample[0]): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}="${escapeLabel(String(value))}"`)
    .join(',')
}

function escapeLabel(value: string): string {
  return value.replace(/[\\"\n]/g, (character) => (character === '\n' ? '\\n' : `\\${character}`))
}
