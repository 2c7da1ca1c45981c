import { type Allocation, readAllocations, readMadeAllocations } from '../panel/panel-answers.js'
import type { PanelClient, PanelFailure } from '../panel/panel-client.js'
import type { LocalTarget } from './target.js'

export type Ensured = { ok: true; made: Allocation[]; existing: Allocation[] } | PanelFailure

const PATH = '/api/tunnel/allocations'

/** The device's allocations, and whatever else its token may see. Throws CliError when the panel's answer is not understood. */
export async function listAllocations(
  client: PanelClient,
  signal: AbortSignal,
): Promise<{ ok: true; allocations: Allocation[] } | PanelFailure> {
  const answer = await client.request({ path: PATH, signal })
  return answer.ok ? { ok: true, allocations: readAllocations(answer.body) } : answer
}

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
  const existing = present.filter((allocation) => isSame(allocation, target, deviceId))
  const missing = (['tcp', 'udp'] as const).filter(
    (protocol) => covers(target, protocol) && !existing.some((allocation) => allocation.protocol === protocol),
  )
  if (missing.length === 0) return { ok: true, made: [], existing }
  const protocol = missing.length === 2 ? 'both' : missing[0]
  const wish = { ...target, protocol }
  const port = target.port ?? existing[0]?.port
  let made = await client.request({ method: 'POST', path: PATH, body: port ? { ...wish, port } : wish, signal })
  if (!made.ok && made.status === 409 && port !== undefined && target.port === undefined) {
    made = await client.request({ method: 'POST', path: PATH, body: wish, signal })
  }
  return made.ok ? { ok: true, made: readMadeAllocations(made.body), existing } : made
}

/** Makes a new allocation whatever is there. */
export async function makeAllocation(client: PanelClient, target: LocalTarget, signal: AbortSignal): Promise<Ensured> {
  const made = await client.request({ method: 'POST', path: PATH, body: target, signal })
  return made.ok ? { ok: true, made: readMadeAllocations(made.body), existing: [] } : made
}

function isSame(allocation: Allocation, target: LocalTarget, deviceId: string | undefined): boolean {
  if (deviceId !== undefined && allocation.deviceId !== undefined && allocation.deviceId !== deviceId) return false
  return (
    allocation.localHost.toLowerCase() === target.localHost &&
    allocation.localPort === target.localPort &&
    (target.port === undefined || allocation.port === target.port) &&
    covers(target, allocation.protocol)
  )
}

function covers(target: LocalTarget, protocol: 'tcp' | 'udp'): boolean {
  return target.protocol === 'both' || target.protocol === protocol
}
