import { type Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http'
import { type Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import type { Endpoint } from './endpoints.js'
import { signWebhook } from './webhook-signature.js'

/** What became of one try. `gone`: the receiver wants no more of it (410). */
export type DeliveryOutcome =
  | { readonly kind: 'done' }
  | { readonly kind: 'gone' }
  | { readonly kind: 'failed'; readonly reason: string }

export interface Agents {
  readonly http: HttpAgent
  readonly https: HttpsAgent
}

/** Bytes of an answer that are read, so that its connection can be used again; with more of them it is broken off. */
const maxAnswerBytes = 64 * 1024
const msPerSecond = 1_000

/** Sends one message, signed. Follows no redirect. Never rejects. */
export async function postDelivery(
  endpoint: Endpoint,
  delivery: { readonly id: string; readonly body: string },
  agents: Agents,
  signal: AbortSignal,
): Promise<DeliveryOutcome> {
  const { id, body } = delivery
  try {
    const headers = signWebhook(endpoint.secret.reveal(), id, Date.now() / msPerSecond, body)
    const status = await post(endpoint.url, body, { ...headers }, agents, signal)
    if (status >= 200 && status < 300) return { kind: 'done' }
    if (status === 410) return { kind: 'gone' }
    return { kind: 'failed', reason: `status ${status}` }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    return { kind: 'failed', reason: signal.aborted ? 'no answer in time' : (code ?? message) }
  }
}

function post(
  url: URL,
  body: string,
  headers: Readonly<Record<string, string>>,
  agents: Agents,
  signal: AbortSignal,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const options = {
      method: 'POST',
      signal,
      headers: {
        ...headers,
        'content-type': 'application/json',
        'content-length': String(Buffer.byteLength(body)),
        'user-agent': 'sallyport-webhooks',
      },
    }
    const answered = (response: IncomingMessage): void => {
      const status = response.statusCode ?? 0
      let read = 0
      response.on('data', (chunk: Buffer) => {
        read += chunk.length
        if (read <= maxAnswerBytes) return
        resolve(status)
        response.destroy()
      })
      response.on('end', () => resolve(status))
      response.on('error', reject)
    }
    const request =
      url.protocol === 'https:'
        ? httpsRequest(url, { ...options, agent: agents.https }, answered)
        : httpRequest(url, { ...options, agent: agents.http }, answered)
    request.on('error', reject)
    request.end(body)
  })
}
