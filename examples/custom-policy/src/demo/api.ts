const timeoutMs = 20_000

/** An answer that was no success. */
export class Refused extends Error {
  readonly status: number
  /** The code, such as `allocation_refused`. */
  readonly error: string

  constructor(status: number, { error = '', detail = '' }: { error?: string; detail?: string }) {
    super(detail)
    this.status = status
    this.error = error
  }
}

/** Calls the panel's API; throws `Refused`. */
export type Call = <Answer = unknown>(method: string, path: string, body?: unknown, token?: string) => Promise<Answer>

export function createCall(url: string): Call {
  return async (method, path, body, token) => {
    const response = await fetch(new URL(path, url), {
      method,
      headers: {
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(timeoutMs),
    })
    const answer = (await response.json()) as never
    if (!response.ok) throw new Refused(response.status, answer)
    return answer
  }
}
