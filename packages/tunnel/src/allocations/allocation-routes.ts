import type { Http, Principal } from '@sallyport/core'
import { Type } from '@sinclair/typebox'
import type { Caller } from '../audit-trail.js'
import { nameField, portField } from '../fields.js'
import { successSchema } from '../view-schema.js'
import type { AllocationRequest } from './allocate.js'
import { type Allocation, allocationSchema } from './allocation.js'
import type { AllocationChange, Allocations } from './allocations.js'
import { optionsChangeSchema, optionsSchema } from './options.js'

interface AllocationRoutes {
  readonly allocate: (request: AllocationRequest, by: Caller & { principal: Principal }) => Promise<Allocation[]>
  readonly allocations: Allocations
}

const tag = 'tunnel allocations'
const closed = { additionalProperties: false }
/** Two lists of addresses fit. */
const bodyLimit = 32 * 1024
const params = Type.Object({ id: Type.String({ maxLength: 32 }) })
const region = Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$' })
const one = Type.Object({ allocation: allocationSchema })
const localHost = Type.String({ minLength: 1, maxLength: 253 })
/** A device manages its own allocations. */
const access: { readonly kinds: readonly Principal['kind'][] } = { kinds: ['user', 'apiKey', 'device'] }

export function addAllocationRoutes(http: Http, { allocate, allocations }: AllocationRoutes): void {
  http.route({
    method: 'GET',
    url: '/api/tunnel/allocations',
    access,
    summary: 'Lists allocations of the devices that the caller may see',
    tag,
    response: { 200: Type.Object({ allocations: Type.Array(allocationSchema) }) },
    handler: async ({ principal }) => ({ allocations: await allocations.list(principal) }),
  })

  http.route({
    method: 'POST',
    url: '/api/tunnel/allocations',
    access,
    summary: 'Makes an allocation, or one for TCP and one for UDP on one number',
    tag,
    bodyLimit,
    body: Type.Object(
      {
        deviceId: Type.Optional(Type.String({ maxLength: 64 })),
        protocol: Type.Union([Type.Literal('tcp'), Type.Literal('udp'), Type.Literal('both')]),
        localHost: Type.Optional(localHost),
        localPort: portField(),
        port: Type.Optional(portField()),
        name: Type.Optional(nameField()),
        region: Type.Optional(region),
        options: Type.Optional(optionsSchema),
      },
      closed,
    ),
    response: { 201: Type.Union([one, Type.Object({ allocations: Type.Array(allocationSchema) })]) },
    handler: async (context) => {
      const { protocol, localPort, deviceId, localHost: host, port, region, name, options } = context.body
      const request = { deviceId, protocol, localHost: host, localPort, port, region, name, options }
      const made = await allocate(request, context)
      context.reply.code(201)
      return protocol === 'both' ? { allocations: [...made].sort(byProtocol) } : { allocation: made[0] }
    },
  })

  http.route({
    method: 'PATCH',
    url: '/api/tunnel/allocations/:id',
    access,
    summary: 'Changes the target, the name or the options of an allocation',
    description: 'Options are merged: null lifts one, or all of them. They hold at once, for present players too.',
    tag,
    bodyLimit,
    params,
    body: Type.Object(
      {
        localHost: Type.Optional(localHost),
        localPort: Type.Optional(portField()),
        name: Type.Optional(Type.Union([nameField(), Type.Null()])),
        options: Type.Optional(optionsChangeSchema),
      },
      closed,
    ),
    response: { 200: one },
    handler: async (context) => ({
      allocation: await allocations.change(context.params.id, context.body as AllocationChange, context),
    }),
  })

  for (const [verb, summary] of [
    ['close', 'Pauses an allocation: the port is kept, players are cut'],
    ['open', 'Resumes an allocation'],
  ] as const) {
    http.route({
      method: 'POST',
      url: `/api/tunnel/allocations/:id/${verb}`,
      access,
      summary,
      tag,
      params,
      response: { 200: Type.Object({ success: Type.Literal(true), allocation: allocationSchema }) },
      handler: async (context) => ({
        success: true,
        allocation: await allocations[verb](context.params.id, context),
      }),
    })
  }

  http.route({
    method: 'DELETE',
    url: '/api/tunnel/allocations/:id',
    access,
    summary: 'Removes an allocation; its port is kept for its device for a while',
    tag,
    params,
    response: { 200: successSchema },
    handler: async (context) => {
      await allocations.remove(context.params.id, context)
      return { success: true }
    },
  })
}

function byProtocol(a: Allocation, b: Allocation): number {
  return a.protocol < b.protocol ? -1 : 1
}
