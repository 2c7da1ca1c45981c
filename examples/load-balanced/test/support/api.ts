export interface Answer {
  readonly status: number
  readonly headers: Headers
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every form
  readonly body: any
}

const timeoutMs = 20_000

/** One request to a panel, or to the balancer. */
export async function call(
  url: string,
  method: string,
  path: string,
  { token, body, cookie }: { token?: string; body?: unknown; cookie?: string } = {},
): Promise<Answer> {
  const headers: Record<string, string> = {}
  if (token !== undefined) headers['authorization'] = `Bearer ${token}`
  if (cookie !== undefined) headers['cookie'] = cookie
  if (body !== undefined) headers['content-type'] = 'application/json'
  const response = await fetch(new URL(path, url), {
    ...{ method, headers, signal: AbortSignal.timeout(timeoutMs) },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  return { status: response.status, headers: response.headers, body: text ? JSON.parse(text) : undefined }
}

/** The body of an answer that must be a success. */
export async function ok(...request: Parameters<typeof call>): Promise<Answer['body']> {
  const { status, body } = await call(...request)
  if (status >= 300) throw new Error(`${request[1]} ${request[2]}: ${status} ${JSON.stringify(body)}`)
  return body
}
