import { connect } from 'node:net'
import {
  definePlugin,
  Http,
  override,
  type Plugin,
  type RateLimits,
  RateLimits as RateLimitsToken,
} from '../../dist/index.js'
import { createTestKernel, type TestKernel, type TestKernelOptions } from '../../dist/testing/index.js'

/** A plugin that adds routes and whatever else `add` does to HTTP. */
export function routes(add: (http: Http) => void): Plugin {
  return definePlugin({
    name: 'test-routes',
    version: '1.0.0',
    requires: { http: Http },
    setup({ services }) {
      add(services.http)
    },
  })()
}

/** Counts in memory and for ever: enough to see that a limit is asked, and by which key. */
export function countingLimits(): RateLimits & { readonly keys: string[] } {
  const counts = new Map<string, number>()
  const keys: string[] = []
  return {
    keys,
    async consume(limit, key) {
      keys.push(key)
      const count = (counts.get(`${limit.name} ${key}`) ?? 0) + 1
      counts.set(`${limit.name} ${key}`, count)
      if (count > limit.points) return { allowed: false, retryAfterSeconds: limit.windowSeconds }
      return { allowed: true, remaining: limit.points - count }
    },
    async refund() {},
    async reset() {},
  }
}

/** A test kernel with these routes, and rate limits that count in memory. */
export function start(add: (http: Http) => void, options: TestKernelOptions = {}): Promise<TestKernel> {
  return createTestKernel({
    ...options,
    plugins: [routes(add), ...(options.plugins ?? [])],
    overrides: [override(RateLimitsToken, countingLimits()), ...(options.overrides ?? [])],
  })
}

export interface Problem {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly error: string
  readonly requestId: string
  readonly errors?: readonly { readonly path: string; readonly message: string }[]
}

/** The problem+json of an answer; fails when it is not one. */
export async function problem(response: Response): Promise<Problem> {
  const type = response.headers.get('content-type') ?? ''
  if (!type.startsWith('application/problem+json')) throw new Error(`${response.status} is ${type}`)
  const body = (await response.json()) as Problem
  for (const field of ['type', 'title', 'status', 'detail', 'error', 'requestId'] as const) {
    if (body[field] === undefined) throw new Error(`${field} is missing in ${JSON.stringify(body)}`)
  }
  if (body.status !== response.status) throw new Error(`status ${body.status} in an answer ${response.status}`)
  if (response.headers.get('x-request-id') !== body.requestId) throw new Error('the ids differ')
  return body
}

export interface RawAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly text: string
}

/** Sends bytes as they are and gives what came back until the server closed, or `deadlineMs` passed. */
export function raw(url: string, request: string | Buffer, deadlineMs = 5_000): Promise<RawAnswer> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true })
    const chunks: Buffer[] = []
    const end = (): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve(parse(Buffer.concat(chunks).toString('latin1')))
    }
    const timer = setTimeout(() => {
      socket.destroy()
      reject(new Error(`no end after ${deadlineMs} ms: ${Buffer.concat(chunks).toString('latin1')}`))
    }, deadlineMs)
    socket.on('connect', () => socket.write(request))
    socket.on('data', (chunk) => chunks.push(chunk))
    socket.on('end', end)
    socket.on('error', end)
    socket.on('close', end)
  })
}

function parse(text: string): RawAnswer {
  const [head = '', body = ''] = split(text, '\r\n\r\n')
  const [first = '', ...lines] = head.split('\r\n')
  const headers = Object.fromEntries(
    lines.map((line) => {
      const [name = '', value = ''] = split(line, ':')
      return [name.toLowerCase(), value.trim()]
    }),
  )
  return { status: Number(first.split(' ')[1] ?? 0), headers, body, text }
}

function split(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator)
  return at === -1 ? [text, ''] : [text.slice(0, at), text.slice(at + separator.length)]
}
