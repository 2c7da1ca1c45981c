import { adminPassword } from './panel.js'

export interface Answer<T = Record<string, unknown>> {
  readonly status: number
  readonly headers: Headers
  readonly body: T
}

/** The panel's API for one principal. */
export interface Api {
  request<T = Record<string, unknown>>(method: string, path: string, body?: unknown): Promise<Answer<T>>
  /** Only the body of an answer that must be a success. */
  ok<T = Record<string, unknown>>(method: string, path: string, body?: unknown): Promise<T>
}

const timeoutMs = 30_000

export function api(url: string, token?: string): Api {
  const request: Api['request'] = async <T>(method: string, path: string, body?: unknown) => {
    const headers: Record<string, string> = {}
    if (token) headers['authorization'] = `Bearer ${token}`
    if (body !== undefined) headers['content-type'] = 'application/json'
    const init: RequestInit = { method, headers, signal: AbortSignal.timeout(timeoutMs), redirect: 'error' }
    if (body !== undefined) init.body = JSON.stringify(body)
    const response = await fetch(new URL(path, url), init)
    const text = await response.text()
    return { status: response.status, headers: response.headers, body: (text ? JSON.parse(text) : undefined) as T }
  }
  return {
    request,
    async ok<T>(method: string, path: string, body?: unknown) {
      const answer = await request<T>(method, path, body)
      if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`)
      return answer.body
    },
  }
}

/** The API as the first administrator. */
export async function signIn(url: string, password: string = adminPassword): Promise<Api> {
  const { token } = await api(url).ok<{ token: string }>('POST', '/api/auth/login', {
    email: 'admin@localhost',
    password,
  })
  return api(url, token)
}
