import type { Test } from 'tap'
import { startAgent } from '../tunnel/agents.js'
import { newAllocation, newDevice, type TestAllocation } from '../tunnel/devices.js'
import type { Dashboard } from './dashboard.js'

/** What a panel that is in use has, long and foreign names among it. */
export interface Furniture {
  readonly tunnel: TestAllocation
  readonly organisationId: string
}

const longName = 'The server under the stairs that nobody may switch off 0123456789 0123456789 012345'

export async function furnish(t: Test, panel: Dashboard): Promise<Furniture> {
  const asAdmin = { bearer: panel.admin.token }
  const post = async (path: string, body: object) => (await panel.ok('POST', path, { ...asAdmin, body })).body

  for (const name of ['Zoë', 'محمد', null]) {
    const email = `${name === null ? 'nobody.with.a.name.but.a.very.long.address' : crypto.randomUUID()}@example.com`
    await post('/api/users', { email, password: 'a password of some length', name, permissions: ['tunnels:read'] })
  }
  const { organisation } = await post('/api/organisations', { name: 'Clan of the Red Lantern' })
  await post('/api/apikeys', { name: longName.slice(0, 60), type: 'client', permissions: ['tunnels:read'] })

  const online = await newDevice(panel)
  const offline = await newDevice(panel)
  await panel.ok('PATCH', `/api/tunnel/devices/${offline.id}`, { ...asAdmin, body: { name: longName } })
  // Waits for approval.
  await panel.ok('POST', '/api/tunnel/device/start', { body: { name: 'laptop' } })
  const tunnel = await newAllocation(panel, online, { name: 'Minecraft', localPort: 25_565 })
  await newAllocation(panel, online, { name: longName, localPort: 9, localHost: 'localhost', protocol: 'udp' })
  const paused = await newAllocation(panel, offline)
  await panel.ok('POST', `/api/tunnel/allocations/${paused.id}/close`, asAdmin)
  await startAgent(t, panel.url, online.token).ready()
  return { tunnel, organisationId: organisation.id }
}
