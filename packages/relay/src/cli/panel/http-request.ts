import { request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { ADDRESS_TRY } from '../../address-try.js'
import { createProxyAgent } from '../../proxy/proxy-agent.js'

export interface HttpRequest {
  method: string
  headers: Record<string, string>
  body?: string
  signal: AbortSignal
  /** Until a proxy has answered. */
  timeoutMs: number
  /** See `connectThrough`; none: directly. */
  proxy?: URL | undefined
  /** Of the answer; a longer one is cut off and `body` is undefined. */
  maxBodyBytes: number
}

export interface HttpAnswer {
  status: number
  contentType: string
  retryAfter: string | undefined
  location: string | undefined
  /** Of the `Date` header. */
  date: string | undefined
  body: string | undefined
}

/**
 * One request on a connection of its own. Redirects are answers. Node's client and not `fetch`, which refuses some ports outright and keeps
 * connections that a command would have to wait for. Rejects with the socket's error.
 */
export async function httpRequest(url: URL, options: HttpRequest): Promise<HttpAnswer> {
  const { method, headers, body, signal, maxBodyBytes, proxy, timeoutMs } = options
  const secure = url.protocol === 'https:'
  const send = secure ? requestHttps : requestHttp
  const agent = proxy === undefined ? false : createProxyAgent({ proxy, secure, timeoutMs })
  return new Promise((resolve, reject) => {
    const request = send(url, { method, headers, signal, agent, ...ADDRESS_TRY }, (response) => {
      const chunks: Buffer[] = []
      let bytes = 0
      const answer = (text: string | undefined): void =>
        resolve({
          status: response.statusCode ?? 0,
          contentType: response.headers['content-type'] ?? '',
          retryAfter: response.headers['retry-after'],
          location: response.headers.location,
          date: response.headers.date,
          body: text,
        })
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length
        if (bytes <= maxBodyBytes) {
          chunks.push(chunk)
          return
        }
        answer(undefined)
        request.destroy()
      })
      response.on('end', () => answer(Buffer.concat(chunks).toString('utf8')))
      response.on('error', reject)
    })
    request.on('error', reject)
    if (agent !== false) {
      // A request that has no socket yet does not end by its signal.
      const abandon = () => agent.destroy()
      signal.addEventListener('abort', abandon)
      request.on('close', () => {
        signal.removeEventListener('abort', abandon)
        abandon()
      })
    }
    request.end(body)
  })
}
