import { type Allocation, readAllocations, readMadeAllocations } from '../panel/panel-answers.js'
import type { PanelClient, PanelFailure } from '../panel/panel-client.js'
import type { LocalTarget } from './target.js'

/** All that ask for something throw CliError when the panel's answer is not understood. */
export type Done<T> = { ok: true; value: T } | PanelFailure

const PATH = '/api/tunnel/allocations'

/** The device's allocations, and whatever else its token may see. */
export async function listAllocations(client: PanelClient, signal: AbortSignal): Promise<Done<Allocation[]>> {
  const answer = await client.request({ path: PATH, signal })
  return answer.ok ? { ok: true, value: readAllocations(answer.body) } : answer
}

/** One for each protocol, whatever is there. */
export async function makeAllocation(
  client: PanelClient,
  body: LocalTarget,
  signal: AbortSignal,
): Promise<Done<Allocation[]>> {
  const answer = await client.request({ method: 'POST', path: PATH, body, signal })
  return answer.ok ? { ok: true, value: readMadeAllocations(answer.body) } : answer
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
  return answer.ok ? { ok: true, value: readMadeAllocations(answer.body)[0] } : answer
}
