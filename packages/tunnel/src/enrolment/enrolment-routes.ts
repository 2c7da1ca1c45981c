import type { Http } from '@sallyport/core'
import { Type } from '@sinclair/typebox'
import type { Caller } from '../audit-trail.js'
import { deviceSchema } from '../devices/device.js'
import { directoryId, directoryIdField, nameField } from '../fields.js'
import { approvePermission } from '../permissions.js'
import { successSchema } from '../view-schema.js'
import type { Approval } from './approval.js'
import { type Enrolment, type EnrolmentRequest, enrolmentSchema } from './enrolment.js'
import { type PollAnswer, pollAnswerSchema } from './poll.js'

interface EnrolmentRoutes {
  readonly start: (request: EnrolmentRequest, by: Caller) => Promise<Enrolment>
  readonly poll: (deviceCode: string) => Promise<PollAnswer>
  readonly approval: Approval
}

const tag = 'tunnel enrolment'
const closed = { additionalProperties: false }
const bodyLimit = 4 * 1024
const userCode = Type.String({ minLength: 1, maxLength: 32 })
/** A device code cannot be guessed; this bounds what looking for one costs. */
const pollLimit = { name: 'tunnel.device-poll', points: 1_200, windowSeconds: 60 }

export function addEnrolmentRoutes(http: Http, { start, poll, approval }: EnrolmentRoutes): void {
  http.route({
    method: 'POST',
    url: '/api/tunnel/device/start',
    access: 'optional',
    summary: 'Starts the enrolment of a device',
    description:
      'RFC 8628 section 3.1. Without credentials: a device of kind client that gets its owner when it is approved.',
    tag,
    bodyLimit,
    body: Type.Object(
      {
        name: nameField(),
        kind: Type.Optional(Type.Union([Type.Literal('client'), Type.Literal('server')])),
        organisationId: Type.Optional(directoryIdField()),
      },
      closed,
    ),
    response: { 200: enrolmentSchema },
    handler: ({ body, principal, ip, requestId, reply }) => {
      reply.header('cache-control', 'no-store')
      const { name, kind = 'client' } = body
      return start({ name, kind, organisationId: directoryId(body.organisationId) }, { principal, ip, requestId })
    },
  })

  http.route({
    method: 'GET',
    url: '/api/tunnel/device/poll',
    access: 'public',
    summary: 'Tells a device whether it is approved, and gives it its token',
    description: 'RFC 8628 section 3.4. Faster than the interval: 429. Expired, denied or redeemed: 410.',
    tag,
    rateLimit: pollLimit,
    query: Type.Object({ deviceCode: Type.String({ minLength: 1, maxLength: 128 }) }),
    response: { 200: pollAnswerSchema },
    handler: ({ query, reply }) => {
      reply.header('cache-control', 'no-store')
      return poll(query.deviceCode)
    },
  })

  http.route({
    method: 'POST',
    url: '/api/tunnel/device/approve',
    access: { permission: approvePermission },
    summary: 'Approves the device that shows this code',
    tag,
    bodyLimit,
    body: Type.Object(
      {
        userCode,
        ownerId: Type.Optional(directoryIdField()),
        organisationId: Type.Optional(directoryIdField()),
        name: Type.Optional(nameField()),
      },
      closed,
    ),
    response: { 200: Type.Object({ success: Type.Literal(true), device: deviceSchema }) },
    handler: async ({ body, principal, ip, requestId }) => {
      const request = {
        userCode: body.userCode,
        ownerId: directoryId(body.ownerId),
        organisationId: directoryId(body.organisationId),
        name: body.name,
      }
      return { success: true, device: await approval.approve(request, { principal, ip, requestId }) }
    },
  })

  http.route({
    method: 'POST',
    url: '/api/tunnel/device/deny',
    access: { permission: approvePermission },
    summary: 'Denies the device that shows this code',
    tag,
    bodyLimit,
    body: Type.Object({ userCode }, closed),
    response: { 200: successSchema },
    handler: async ({ body, principal, ip, requestId }) => {
      await approval.deny(body.userCode, { principal, ip, requestId })
      return { success: true }
    },
  })
}
