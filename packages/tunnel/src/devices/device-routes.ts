import type { Http, Principal } from '@sallyport/core'
import { Type } from '@sinclair/typebox'
import { nameField } from '../fields.js'
import { successSchema } from '../view-schema.js'
import { deviceSchema } from './device.js'
import type { Devices } from './devices.js'

const tag = 'tunnel devices'
const bodyLimit = 4 * 1024
const params = Type.Object({ id: Type.String({ maxLength: 64 }) })

export function addDeviceRoutes(http: Http, devices: Devices): void {
  http.route({
    method: 'GET',
    url: '/api/tunnel/devices',
    access: 'authenticated',
    summary: 'Lists devices',
    description: "The caller's own and those of organisations that the caller manages; with tunnels:read everyone's.",
    tag,
    response: { 200: Type.Object({ devices: Type.Array(deviceSchema) }) },
    handler: async ({ principal }) => ({ devices: await devices.list(principal) }),
  })

  http.route({
    method: 'PATCH',
    url: '/api/tunnel/devices/:id',
    access: 'authenticated',
    summary: 'Renames a device',
    tag,
    bodyLimit,
    params,
    body: Type.Object({ name: nameField() }, { additionalProperties: false }),
    response: { 200: Type.Object({ success: Type.Literal(true), device: deviceSchema }) },
    handler: async (context) => ({
      success: true,
      device: await devices.rename(context.params.id, context.body.name, context),
    }),
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
      response: { 200: successSchema },
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
    response: { 200: Type.Object({ success: Type.Literal(true), token: Type.String() }) },
    handler: async (context) => {
      context.reply.header('cache-control', 'no-store')
      return { success: true, token: await devices.regenerateToken(context.params.id, context) }
    },
  })
}
