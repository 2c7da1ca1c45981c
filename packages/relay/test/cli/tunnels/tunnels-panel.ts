import type { Test } from 'tap'
import { createFakePanel, type FakeAnswer, type FakePanel, problem } from '../../fake-panel.js'
import { createHome, type Home } from '../command.js'

export const TOKEN = 'header.payload-very-secret.signature'
export const PATH = '/api/tunnel/allocations'
export const LIST = `GET ${PATH}`
export const MAKE = `POST ${PATH}`

export interface FakeAllocation {
  id: number
  protocol: string
  port: number
  localHost: string
  localPort: number
  status: string
  [field: string]: unknown
}

export const ONE: FakeAllocation = {
  id: 12,
  port: 20_001,
  deviceId: '3f0c1f9e-0000-4000-8000-000000000000',
  name: null,
  protocol: 'tcp',
  createdAt: '2026-01-01T00:00:00.000Z',
  host: 'play.example.com',
  localHost: '127.0.0.1',
  localPort: 25_565,
  status: 'open',
  statusError: null,
  targetError: null,
  relayId: 'eu1',
  relayName: 'Frankfurt',
  relayOnline: true,
  traffic: { bytesIn: 2_048, bytesOut: 5, connections: 3, open: 1 },
}

export async function enrolled(t: Test): Promise<{ panel: FakePanel; home: Home }> {
  const panel = await createFakePanel()
  t.teardown(() => panel.close())
  const home = await createHome(t)
  await home.enrol({ panel: panel.url, token: TOKEN })
  return { panel, home }
}

/** A panel that does as it is told: what the routes change is in the list. */
export function serveAllocations(panel: FakePanel, allocations: FakeAllocation[]): void {
  let nextId = 100
  panel.routes.set(LIST, () => ({ body: { allocations } }))
  panel.routes.set(MAKE, ({ body }) => {
    const { protocol, ...wish } = body as FakeAllocation
    const made = (protocol === 'both' ? ['tcp', 'udp'] : [protocol]).map((one) => {
      nextId += 1
      const allocation = { ...ONE, ...wish, id: nextId, port: wish.port ?? 20_000 + nextId, protocol: one }
      add(allocation)
      return allocation
    })
    return { status: 201, body: protocol === 'both' ? { allocations: made } : { allocation: made[0] } }
  })

  function add(allocation: FakeAllocation): void {
    const { id } = allocation
    if (!allocations.includes(allocation)) allocations.push(allocation)
    const changed = (change: object): FakeAnswer => ({
      body: { success: true, allocation: Object.assign(allocation, change) },
    })
    panel.routes.set(`POST ${PATH}/${id}/close`, () => changed({ status: 'closed' }))
    panel.routes.set(`POST ${PATH}/${id}/open`, () => changed({ status: 'open' }))
    panel.routes.set(`PATCH ${PATH}/${id}`, ({ body }) => changed(body as object))
    panel.routes.set(`DELETE ${PATH}/${id}`, () => {
      const at = allocations.indexOf(allocation)
      if (at === -1) return problem(404, 'allocation_unknown', 'There is no such allocation')
      allocations.splice(at, 1)
      return { body: { success: true } }
    })
  }
  for (const allocation of [...allocations]) add(allocation)
}
