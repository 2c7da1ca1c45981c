import type { Http, Principal } from '@sallyport/core'
import { Type } from '@sinclair/typebox'
import type { Devices } from './devices.js'

const tag = 'tunnel devices'
const params = Type.Object({ id: Type.String({ maxLength: 64 }) })

export function addDeviceRoutes(http: Http, devices: Devices): void {
  http.route({
    method: 'GET',
    url: '/api/tunnel/devices',
    access: 'authenticated',
    summary: 'Lists devices',
    description: "The caller's own and those of organisations that the caller manages; with tunnels:read everyone's.",
    tag,
    handler: async ({ principal }) => ({ devices: await devices.list(principal) }),
  })

  const remove = async (context: { params: { id: string }; principal: Principal; ip: string; requestId: string }) => {
    await devices.remove(context.params.id, context)
    return { success: true }
  }
  for (const url of ['/api/tunnel/devices/:id/delete', '/api/tunnel/devices/:id']) {
    http.route({
      method: 'DELETE',
      url,
      access: 'authenticated',
      summary: 'Removes a device with its allocations, closes its channel and cuts its players',
      tag,
      params,
      handler: remove,
    })
  }

  http.route({
    method: 'POST',
    url: '/api/tunnel/devices/:id/regenerate-token',
    access: 'authenticated',
    summary: 'Makes a new token for a device; the old one is dead at once',
    tag,
    params,
    handler: async (context) => {
      context.reply.header('cache-control', 'no-store')
      return { success: true, token: await devices.regenerateToken(context.params.id, context) }
    },
  })
}
