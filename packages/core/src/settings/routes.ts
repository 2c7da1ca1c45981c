import { type TSchema, Type } from '@sinclair/typebox'
import type { Audit } from '../audit/audit.js'
import type { Http } from '../http/http.js'
import type { OpenSettings } from './create-settings.js'

const access = { permission: 'settings:write' } as const
const tag = 'Settings'
const section = Type.Object({}, { additionalProperties: true })
const change = Type.Object({}, { additionalProperties: Type.Union([section, Type.Null()]) })

/** `GET` and `PATCH /api/settings`. */
export function addSettingsRoutes(http: Http, settings: OpenSettings, audit: Audit | undefined): void {
  // Read when the document is made: by then every plugin has defined its sections.
  const response = {
    get 200(): TSchema {
      return { ...settings.schema(), $id: 'Settings' }
    },
  }
  http.route({
    method: 'GET',
    url: '/api/settings',
    access,
    summary: 'All settings in force',
    tag,
    response,
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
    response,
    async handler({ body, principal, ip, requestId }) {
      const result = await settings.patch(body)
      await audit?.record({ action: 'settings.changed', actor: principal, ip, requestId, data: { change: body } })
      return result
    },
  })
}
