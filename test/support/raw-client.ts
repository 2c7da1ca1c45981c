import { request } from 'node:http'

/** What a request carries; everything may be wrong on purpose. */
export interface Carried {
  /** Goes as `X-Forwarded-For`, for panels that believe the test. */
  readonly ip?: string | undefined
  readonly bearer?: string | undefined
  readonly cookie?: string | undefined
  readonly apiKey?: string | undefined
  readonly xApiKey?: string | undefined
  /** Several values are several headers of one name. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>> | undefined
  /** Sent as JSON. */
  readonly body?: unknown
  /** Sent as it is, in place of `body`. */
  readonly raw?: { readonly type: string; readonly text: string } | undefined
}

export interface Reply {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly cookies: readonly string[]
  readonly text: string
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every form
  readonly body: any
}

/** `path` is sent as it is written: not normalised, not encoded. */
export type Send = (method: string, path: string, carried?: Carried) => Promise<Reply>

const timeoutMs = 60_000

/** A client that sends what no well-behaved one would. */
export function rawClient(url: string): Send {
  const { port, host } = new URL(url)
  return (method, path, carried = {}) =>
    new Promise((resolve, reject) => {
      const payload = carried.raw?.text ?? (carried.body === undefined ? undefined : JSON.stringify(carried.body))
      const outgoing = request({
        host: '127.0.0.1',
        port: Number(port),
        method,
        path,
        agent: false,
        timeout: timeoutMs,
        headers: headersOf(method, host, carried, payload),
      })
      outgoing.on('timeout', () => outgoing.destroy(new Error(`${method} ${path.slice(0, 100)} timed out`)))
      outgoing.on('error', reject)
      outgoing.on('response', (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', reject)
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString()
          const { headers, statusCode: status = 0 } = response
          const isJson = /json/.test(headers['content-type'] ?? '') && text !== ''
          const body: unknown = isJson ? JSON.parse(text) : undefined
          resolve({ status, headers, cookies: headers['set-cookie'] ?? [], text, body })
        })
      })
      outgoing.end(payload)
    })
}

function headersOf(method: string, host: string, carried: Carried, payload: string | undefined): string[] {
  const { ip, bearer, cookie, apiKey, xApiKey, headers = {}, raw } = carried
  const length =
    payload === undefined && !/^(POST|PUT|PATCH)$/.test(method) ? undefined : Buffer.byteLength(payload ?? '')
  const entries: [string, string | readonly string[] | undefined][] = [
    ['host', host],
    ['x-forwarded-for', ip],
    ['authorization', bearer === undefined ? apiKey && `ApiKey ${apiKey}` : `Bearer ${bearer}`],
    ['cookie', cookie === undefined ? undefined : `session=${cookie}`],
    ['x-api-key', xApiKey],
    ['content-type', payload === undefined ? undefined : (raw?.type ?? 'application/json')],
    ['content-length', length?.toString()],
  ]
  const own = entries.filter(([name]) => !(name in headers))
  return [...own, ...Object.entries(headers)].flatMap(([name, values]) =>
    (values === undefined ? [] : [values].flat()).flatMap((value) => [name, value]),
  )
}

/** The session token of an answer's `Set-Cookie`. */
export function sessionCookie({ cookies }: Reply): string | undefined {
  const [, value] = cookies.map((cookie) => /^session=([^;]+)/.exec(cookie)).find((match) => match !== null) ?? []
  return value
}
