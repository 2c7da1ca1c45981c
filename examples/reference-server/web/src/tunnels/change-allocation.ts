import type { Allocation, AllocationOptions } from '@sallyport/relay/client'
import { api, PanelProblem, unwrap } from '../api.js'
import type { Live } from '../live.js'
import type { OptionsChange } from './option-values.js'

export interface AllocationChange {
  localHost?: string
  localPort?: number
  name?: string | null
  options?: OptionsChange
}

/** Changes each of them, one after the other, and shows it at once. */
export async function changeAll(
  allocations: readonly Allocation[],
  change: AllocationChange,
  apply: Live['apply'],
): Promise<void> {
  if (Object.keys(change).length === 0) return
  for (const { id } of allocations) {
    const path = { id: String(id) }
    const { allocation } = await unwrap(
      api.PATCH('/api/tunnel/allocations/{id}', { params: { path }, body: change as PatchBody }),
    )
    apply('allocations', { items: [allocation] })
  }
}

export async function pauseAll(allocations: readonly Allocation[], apply: Live['apply']): Promise<void> {
  for (const { id } of allocations) {
    const params = { path: { id: String(id) } }
    const { allocation } = await unwrap(api.POST('/api/tunnel/allocations/{id}/close', { params }))
    apply('allocations', { items: [allocation] })
  }
}

export async function resumeAll(allocations: readonly Allocation[], apply: Live['apply']): Promise<void> {
  for (const { id } of allocations) {
    const params = { path: { id: String(id) } }
    const { allocation } = await unwrap(api.POST('/api/tunnel/allocations/{id}/open', { params }))
    apply('allocations', { items: [allocation] })
  }
}

export async function removeAll(allocations: readonly Allocation[], apply: Live['apply']): Promise<void> {
  for (const { id } of allocations) {
    await removeOne(id)
    apply('allocations', { removed: [id] })
  }
}

/** That somebody else was quicker is as good. */
async function removeOne(id: number): Promise<void> {
  try {
    await unwrap(api.DELETE('/api/tunnel/allocations/{id}', { params: { path: { id: String(id) } } }))
  } catch (error) {
    if (!(error instanceof PanelProblem) || error.status !== 404) throw error
  }
}

type PatchBody = {
  localHost?: string
  localPort?: number
  name?: string | null
  options?: AllocationOptions
}
