import type { Http } from '@sallyport/core'
import type { Relays } from './relays.js'

export function addRelayRoutes(http: Http, relays: Relays): void {
  http.route({
    method: 'GET',
    url: '/api/tunnel/relays',
    access: { kinds: ['user', 'apiKey', 'device'] },
    summary: 'Lists relays with their load',
    tag: 'tunnel relays',
    handler: async () => ({ relays: await relays.list() }),
  })
}
