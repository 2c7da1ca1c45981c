import { createHash } from 'node:crypto'
import type { Secret } from '@sallyport/core'
import type { WebhookEndpoint } from '../config.js'
import { tunnelErrors } from '../errors.js'
import { wants, webhookEvents } from './webhook-events.js'

/** An endpoint as it is configured, with a name for database and log. */
export interface Endpoint {
  /** Made of the URL, which may itself be confidential. */
  readonly key: string
  readonly url: URL
  /** Host of the URL, for the log. */
  readonly host: string
  readonly secret: Secret
  readonly events: readonly string[] | undefined
}

const keyLength = 32
const encodedPrefix = 'whsec_'
const minSecretBytes = 16

/** @throws `TUNNEL_ERR_WEBHOOK_INVALID` for what the schema cannot see; never with the URL or the secret in it */
export function parseEndpoints(endpoints: readonly WebhookEndpoint[]): Endpoint[] {
  const parsed = endpoints.map((endpoint, index) => {
    const invalid = (reason: string): Error => tunnelErrors.WEBHOOK_INVALID({ index, reason })
    if (!URL.canParse(endpoint.url)) throw invalid('url is not a URL')
    const url = new URL(endpoint.url)
    if (url.username || url.password) throw invalid('url has a user name or password in it')
    const text = endpoint.secret.reveal()
    if (text.startsWith(encodedPrefix)) {
      const bytes = Buffer.from(text.slice(encodedPrefix.length), 'base64')
      if (bytes.length < minSecretBytes) throw invalid(`secret has less than ${minSecretBytes} bytes of base64 in it`)
    }
    for (const name of endpoint.events ?? []) {
      if (!webhookEvents.some((event) => wants([name], event))) throw invalid(`there is no event ${name}`)
    }
    url.hash = ''
    const key = createHash('sha256').update(url.href).digest('hex').slice(0, keyLength)
    return { key, url, host: url.host, secret: endpoint.secret, events: endpoint.events }
  })
  const seen = new Set<string>()
  for (const [index, { key }] of parsed.entries()) {
    if (seen.has(key)) throw tunnelErrors.WEBHOOK_INVALID({ index, reason: 'another one has the same url' })
    seen.add(key)
  }
  return parsed
}
