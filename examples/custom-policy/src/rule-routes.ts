import { coreErrors, type Http, isAddressRange } from '@sallyport/core'
import { Type } from '@sinclair/typebox'
import type { Store } from './hooks.js'

const tag = 'Rules'
const access = { permission: 'rules:write' } as const
const closed = { additionalProperties: false }
const ban = Type.Object({ id: Type.Integer(), range: Type.String(), reason: Type.String() })
const maxId = 2_147_483_647

/** Routes of the host's own, with Sallyport's credentials, validation, errors and OpenAPI document. */
export function addRuleRoutes(http: Http, { accounts, bans }: Pick<Store, 'accounts' | 'bans'>): void {
  http.route({
    method: 'GET',
    url: '/api/bans',
    access,
    summary: 'Lists addresses that may not play',
    tag,
    response: { 200: Type.Object({ bans: Type.Array(ban) }) },
    handler: async () => ({ bans: await bans.list() }),
  })

  http.route({
    method: 'POST',
    url: '/api/bans',
    access,
    summary: 'Bans an address or a range, from the next connection on',
    tag,
    body: Type.Object(
      { range: Type.String({ maxLength: 49 }), reason: Type.String({ minLength: 1, maxLength: 200 }) },
      closed,
    ),
    response: { 201: Type.Object({ ban }) },
    async handler({ body: { range, reason }, reply }) {
      // Players who come by IPv4 are known by that.
      const isMapped = /^::ffff:/i.test(range)
      if (isMapped || !isAddressRange(range))
        throw coreErrors.BAD_REQUEST({ reason: 'range is no address and no range' })
      reply.code(201)
      return { ban: await bans.add(range, reason) }
    },
  })

  http.route({
    method: 'DELETE',
    url: '/api/bans/:id',
    access,
    summary: 'Lifts a ban',
    tag,
    params: Type.Object({ id: Type.Integer({ minimum: 1, maximum: maxId }) }),
    async handler({ params: { id } }) {
      if (!(await bans.remove(id))) throw coreErrors.NOT_FOUND()
      return { success: true }
    },
  })

  http.route({
    method: 'PUT',
    url: '/api/accounts/:id',
    access,
    summary: 'Sets the plan and region of a user or organisation',
    tag,
    params: Type.Object({ id: Type.String({ minLength: 1, maxLength: 255 }) }),
    body: Type.Object(
      {
        plan: Type.Union([Type.Literal('free'), Type.Literal('pro')]),
        region: Type.Union([Type.Literal('eu'), Type.Literal('us'), Type.Literal('asia')]),
      },
      closed,
    ),
    async handler({ params: { id }, body }) {
      await accounts.save({ id, ...body })
      return { success: true }
    },
  })
}
