import type { Http } from '@sallyport/core'
import type { ListRelays } from './relay-list.js'

export function addRelayRoutes(http: Http, list: ListRelays): void {
  http.route({
    method: 'GET',
    url: '/api/tunnel/relays',
    access: { kinds: ['user', 'apiKey', 'device'] },
    summary: 'Lists relays with their load',
    tag: 'tunnel relays',
    handler: async ({ principal }) => ({ relays: await list(principal) }),
  })
}
