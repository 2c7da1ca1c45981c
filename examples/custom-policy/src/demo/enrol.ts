import type { Call } from './api.js'

export interface Enrolled {
  readonly id: string
  readonly token: string
}

/** Enrols a device and approves it, which else are two people. `ownerId`: whose it is; a relay is everybody's. */
export async function enrol(
  call: Call,
  adminToken: string,
  { name, kind, ownerId }: { readonly name: string; readonly kind: 'client' | 'server'; readonly ownerId?: string },
): Promise<Enrolled> {
  const started = await call<{ deviceCode: string; userCode: string }>(
    ...(['POST', '/api/tunnel/device/start', { name, kind }, adminToken] as const),
  )
  const { device } = await call<{ device: { id: string } }>(
    'POST',
    '/api/tunnel/device/approve',
    { userCode: started.userCode, ...(ownerId !== undefined && { ownerId }) },
    adminToken,
  )
  const { token } = await call<{ token: string }>('GET', `/api/tunnel/device/poll?deviceCode=${started.deviceCode}`)
  return { id: device.id, token }
}
