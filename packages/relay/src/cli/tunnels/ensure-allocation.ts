import type { Allocation } from '../panel/panel-answers.js'
import type { PanelClient, PanelFailure } from '../panel/panel-client.js'
import { makeAllocation } from './allocation-requests.js'
import type { LocalTarget } from './target.js'

export type Ensured = { ok: true; made: Allocation[]; existing: Allocation[] } | PanelFailure

/**
 * Finds this device's allocations of the target among `present` (on its public port, if it has one; in whatever region), and makes those that are missing.
 * A second protocol is first asked for on the number that the first one has. Throws CliError when the panel's answer is not understood.
 */
export async function ensureAllocations(
  client: PanelClient,
  target: LocalTarget,
  present: readonly Allocation[],
  deviceId: string | undefined,
  signal: AbortSignal,
): Promise<Ensured> {
  const isForeign = ({ deviceId: owner = deviceId }: Allocation) => deviceId !== undefined && owner !== deviceId
  const existing = present.filter((allocation) => !isForeign(allocation) && isTunnelOf(allocation, target))
  const missing = (['tcp', 'udp'] as const).filter(
    (protocol) => covers(target, protocol) && !existing.some((allocation) => allocation.protocol === protocol),
  )
  const [first, second] = missing
  if (first === undefined) return { ok: true, made: [], existing }
  const wish: LocalTarget = { ...target, protocol: second === undefined ? first : 'both' }
  const port = target.port ?? existing[0]?.port
  let made = await makeAllocation(client, port ? { ...wish, port } : wish, signal)
  if (!made.ok && made.status === 409 && port !== undefined && target.port === undefined) {
    made = await makeAllocation(client, wish, signal)
  }
  return made.ok ? { ok: true, made: made.value, existing } : made
}

/** Of whatever device. */
export function isTunnelOf(
  tunnel: Pick<Allocation, 'protocol' | 'port' | 'localHost' | 'localPort'>,
  target: LocalTarget,
): boolean {
  return (
    tunnel.localHost.toLowerCase() === target.localHost &&
    tunnel.localPort === target.localPort &&
    (target.port === undefined || tunnel.port === target.port) &&
    covers(target, tunnel.protocol)
  )
}

function covers(target: LocalTarget, protocol: 'tcp' | 'udp'): boolean {
  return target.protocol === 'both' || target.protocol === protocol
}
