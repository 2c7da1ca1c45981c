import { type Allocation, readMadeAllocations, readRelayNames } from '../panel/panel-answers.js'
import type { PanelClient, PanelFailure } from '../panel/panel-client.js'
import { listAllocations } from './ensure-allocation.js'
import type { LocalTarget } from './target.js'

export type Done<T> = { ok: true; value: T } | PanelFailure

const PATH = '/api/tunnel/allocations'

/** As `listAllocations`, with the names of their relays where the panel tells them. */
export async function listWithRelayNames(client: PanelClient, signal: AbortSignal): Promise<Done<Allocation[]>> {
  const answer = await listAllocations(client, signal)
  if (!answer.ok) return answer
  const { allocations } = answer
  if (allocations.every(({ relayId, relayName }) => relayId === undefined || relayName !== undefined)) {
    return { ok: true, value: allocations }
  }
  const relays = await client.request({ path: '/api/tunnel/relays', signal })
  const names = relays.ok ? readRelayNames(relays.body) : new Map<string, string>()
  return { ok: true, value: allocations.map((one) => named(one, names)) }
}

function named(allocation: Allocation, names: ReadonlyMap<string, string>): Allocation {
  const name = allocation.relayName ?? names.get(allocation.relayId ?? '')
  return name === undefined ? allocation : { ...allocation, relayName: name }
}

/** Keeps the port and takes nobody; players are cut. */
export function pauseAllocation(client: PanelClient, id: number, signal: AbortSignal): Promise<Done<Allocation>> {
  return change(client, { method: 'POST', path: `${PATH}/${id}/close`, signal })
}

export function resumeAllocation(client: PanelClient, id: number, signal: AbortSignal): Promise<Done<Allocation>> {
  return change(client, { method: 'POST', path: `${PATH}/${id}/open`, signal })
}

export function retargetAllocation(
  client: PanelClient,
  id: number,
  body: Pick<LocalTarget, 'localHost' | 'localPort'>,
  signal: AbortSignal,
): Promise<Done<Allocation>> {
  return change(client, { method: 'PATCH', path: `${PATH}/${id}`, body, signal })
}

export async function removeAllocation(client: PanelClient, id: number, signal: AbortSignal): Promise<Done<undefined>> {
  const answer = await client.request({ method: 'DELETE', path: `${PATH}/${id}`, signal })
  return answer.ok ? { ok: true, value: undefined } : answer
}

async function change(client: PanelClient, request: Parameters<PanelClient['request']>[0]): Promise<Done<Allocation>> {
  const answer = await client.request(request)
  return answer.ok ? { ok: true, value: readMadeAllocations(answer.body)[0] as Allocation } : answer
}
