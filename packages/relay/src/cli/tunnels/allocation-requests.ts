import { type Allocation, readAllocation, readAllocations, readMadeAllocations } from '../panel/panel-answers.js'
import type { Answer } from '../panel/panel-calls.js'
import type { PanelAnswer, PanelClient, PanelFailure } from '../panel/panel-client.js'
import type { LocalTarget } from './target.js'

/** All that ask for something throw CliError when the panel's answer is not understood. */
export type Done<T> = { ok: true; value: T } | PanelFailure

const PATH = '/api/tunnel/allocations'

/** The device's allocations, and whatever else its token may see. */
export async function listAllocations(client: PanelClient, signal: AbortSignal): Promise<Done<Allocation[]>> {
  const answer = await client.request('get', PATH, { signal })
  return answer.ok ? { ok: true, value: readAllocations(answer.body) } : answer
}

/** One for each protocol, whatever is there. */
export async function makeAllocation(
  client: PanelClient,
  body: LocalTarget,
  signal: AbortSignal,
): Promise<Done<Allocation[]>> {
  const answer = await client.request('post', PATH, { body, signal })
  return answer.ok ? { ok: true, value: readMadeAllocations(answer.body) } : answer
}

/** Keeps the port and takes nobody; players are cut. */
export async function pauseAllocation(client: PanelClient, id: number, signal: AbortSignal): Promise<Done<Allocation>> {
  return changed(await client.request('post', `${PATH}/{id}/close`, { params: one(id), signal }))
}

export async function resumeAllocation(
  client: PanelClient,
  id: number,
  signal: AbortSignal,
): Promise<Done<Allocation>> {
  return changed(await client.request('post', `${PATH}/{id}/open`, { params: one(id), signal }))
}

export async function retargetAllocation(
  client: PanelClient,
  id: number,
  body: Pick<LocalTarget, 'localHost' | 'localPort'>,
  signal: AbortSignal,
): Promise<Done<Allocation>> {
  return changed(await client.request('patch', `${PATH}/{id}`, { params: one(id), body, signal }))
}

export async function removeAllocation(client: PanelClient, id: number, signal: AbortSignal): Promise<Done<undefined>> {
  const answer = await client.request('delete', `${PATH}/{id}`, { params: one(id), signal })
  return answer.ok ? { ok: true, value: undefined } : answer
}

function one(id: number): { path: { id: string } } {
  return { path: { id: String(id) } }
}

function changed(answer: PanelAnswer<Answer<'patch', '/api/tunnel/allocations/{id}'>>): Done<Allocation> {
  return answer.ok ? { ok: true, value: readAllocation(answer.body) } : answer
}
