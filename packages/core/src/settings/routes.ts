import { Type } from '@sinclair/typebox'
import type { Audit } from '../audit/audit.js'
import type { Http } from '../http/http.js'
import type { Settings } from './settings.js'

const access = { permission: 'settings:write' } as const
const tag = 'Settings'
const change = Type.Object({}, { additionalProperties: Type.Union([Type.Object({}), Type.Null()]) })
const answer = Type.Object({}, { additionalProperties: Type.Object({}, { additionalProperties: true }) })

/** `GET` and `PATCH /api/settings`. */
export function addSettingsRoutes(http: Http, settings: Settings, audit: Audit | undefined): void {
  http.route({
    method: 'GET',
    url: '/api/settings',
    access,
    summary: 'All settings in force',
    tag,
    response: { 200: answer },
    handler: () => settings.all(),
  })
  http.route({
    method: 'PATCH',
    url: '/api/settings',
    access,
    summary: 'Changes settings, in force at once on every instance',
    description: 'A JSON merge patch (RFC 7396) of the settings: null gives a field its default.',
    tag,
    body: change,
    response: { 200: answer },
    async handler({ body, principal, ip, requestId }) {
      const result = await settings.patch(body)
      await audit?.record({ action: 'settings.changed', actor: principal, ip, requestId, data: { change: body } })
      return result
    },
  })
}
