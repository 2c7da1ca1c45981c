import type { Carried } from '../raw-client.js'
import type { People } from '../sign-in-panel.js'

export interface TestDevice {
  readonly id: string
  readonly token: string
}

export interface DeviceWishes {
  readonly ownerId?: string
  readonly organisationId?: string
  readonly kind?: 'client' | 'server'
}

/** A device that is approved, with its token. */
export async function newDevice(panel: People, wishes: DeviceWishes = {}): Promise<TestDevice> {
  const { kind = 'client', ...binding } = wishes
  const asAdmin: Carried = { bearer: panel.admin.token }
  // Without credentials, each from an address of its own, there are no limits that a test would meet.
  const by = kind === 'server' ? asAdmin : {}
  const { body: started } = await panel.ok('POST', '/api/tunnel/device/start', { ...by, body: { name: 'thing', kind } })
  const body = { userCode: started.userCode, ownerId: panel.admin.id, ...binding }
  const { body: approved } = await panel.ok('POST', '/api/tunnel/device/approve', { ...asAdmin, body })
  const { body: polled } = await panel.ok('GET', `/api/tunnel/device/poll?deviceCode=${started.deviceCode}`)
  return { id: approved.device.id, token: polled.token }
}

export interface TestAllocation {
  readonly id: number
  readonly port: number
  readonly deviceId: string
  readonly protocol: 'tcp' | 'udp'
  readonly localPort: number
  readonly status: string
  readonly relayId: string
  readonly relayOnline: boolean
}

export async function newAllocation(
  panel: People,
  device: TestDevice,
  fields: Readonly<Record<string, unknown>> = {},
): Promise<TestAllocation> {
  const body = { localPort: 9, protocol: 'tcp', ...fields }
  return (await panel.ok('POST', '/api/tunnel/allocations', { bearer: device.token, body })).body.allocation
}

/** Everyone's. */
export async function allAllocations(panel: People): Promise<TestAllocation[]> {
  return (await panel.ok('GET', '/api/tunnel/allocations', { bearer: panel.admin.token })).body.allocations
}

/** Ids of those that are online. */
export async function onlineDevices(panel: People): Promise<Set<string>> {
  const { body } = await panel.ok('GET', '/api/tunnel/devices', { bearer: panel.admin.token })
  const devices = body.devices as { id: string; online: boolean }[]
  return new Set(devices.filter(({ online }) => online).map(({ id }) => id))
}

export async function relays(
  panel: People,
): Promise<{ id: string; online: boolean; kind: string; load: { allocations: number; devices: number } }[]> {
  return (await panel.ok('GET', '/api/tunnel/relays', { bearer: panel.admin.token })).body.relays
}

export async function setQuotas(panel: People, quotas: Readonly<Record<string, number>>): Promise<void> {
  await panel.ok('PATCH', '/api/settings', { bearer: panel.admin.token, body: { quotas } })
}
