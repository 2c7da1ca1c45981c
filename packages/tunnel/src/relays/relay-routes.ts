import type { Http } from '@sallyport/core'
import { Type } from '@sinclair/typebox'
import type { ListRelays } from './relay-list.js'
import { relayRecordSchema } from './relay-record.js'

export function addRelayRoutes(http: Http, list: ListRelays): void {
  http.route({
    method: 'GET',
    url: '/api/tunnel/relays',
    access: { kinds: ['user', 'apiKey', 'device'] },
    summary: 'Lists relays with their load',
    tag: 'tunnel relays',
    response: { 200: Type.Object({ relays: Type.Array(relayRecordSchema) }) },
    handler: async ({ principal }) => ({ relays: await list(principal) }),
  })
}
