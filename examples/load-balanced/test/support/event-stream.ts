import type { Test } from 'tap'

export interface EventStream {
  readonly status: number
  /** What has come so far. */
  readonly text: string
}

/** Opens an event stream, which goes with the test. */
export async function openStream(t: Test, url: string, token: string): Promise<EventStream> {
  const aborting = new AbortController()
  t.teardown(() => aborting.abort())
  const headers = { authorization: `Bearer ${token}` }
  const response = await fetch(new URL('/api/tunnel/events', url), { headers, signal: aborting.signal })
  let text = ''
  const read = async (): Promise<void> => {
    const decoder = new TextDecoder()
    for await (const chunk of response.body ?? []) text += decoder.decode(chunk as Uint8Array, { stream: true })
  }
  read().catch(() => undefined)
  return {
    status: response.status,
    get text() {
      return text
    },
  }
}
