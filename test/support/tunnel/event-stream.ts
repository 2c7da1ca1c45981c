import { get, type IncomingMessage } from 'node:http'
import type { Test } from 'tap'
import type { Carried, Reply } from '../raw-client.js'

type Item = Readonly<Record<string, unknown>> & { readonly id: string | number }

/** A reader of `GET /api/tunnel/events` that keeps the lists as they are told. */
export interface EventStream {
  readonly devices: ReadonlyMap<unknown, Item>
  readonly allocations: ReadonlyMap<unknown, Item>
  readonly relays: ReadonlyMap<unknown, Item>
  readonly traffic: ReadonlyMap<unknown, Item>
  /** Events so far, by their names. */
  readonly told: readonly { readonly event: string; readonly data: unknown }[]
  readonly isOpen: boolean
  close(): void
}

/** An answer, and when it is a stream that stream. */
export interface Opened {
  readonly reply: Reply
  readonly stream: EventStream | undefined
}

export function openEventStream(url: string, carried: Carried): Promise<Opened> {
  const { bearer, apiKey, cookie, ip } = carried
  const headers = {
    ...(ip && { 'x-forwarded-for': ip }),
    ...(bearer && { authorization: `Bearer ${bearer}` }),
    ...(apiKey && { authorization: `ApiKey ${apiKey}` }),
    ...(carried.xApiKey && { 'x-api-key': carried.xApiKey }),
    ...(cookie && { cookie: `session=${cookie}` }),
  }
  return new Promise((resolve, reject) => {
    const request = get(new URL('/api/tunnel/events', url), { headers, agent: false }, (response) => {
      const stream = follow(response)
      const answer = (text: string): Reply => ({
        status: response.statusCode ?? 0,
        headers: response.headers,
        cookies: [],
        text,
        body: text === '' ? undefined : JSON.parse(text),
      })
      if (response.statusCode === 200) resolve({ reply: answer(''), stream })
      else response.on('end', () => resolve({ reply: answer(stream.text()), stream: undefined }))
    })
    request.on('error', reject)
  })
}

/** A stream that goes with the test. */
export async function watchEvents(t: Test, url: string, carried: Carried): Promise<EventStream> {
  const { reply, stream } = await openEventStream(url, carried)
  if (!stream) throw new Error(`no stream: ${reply.status} ${reply.text}`)
  t.teardown(() => stream.close())
  return stream
}

function follow(response: IncomingMessage): EventStream & { text(): string } {
  const lists = {
    devices: new Map<unknown, Item>(),
    allocations: new Map<unknown, Item>(),
    relays: new Map<unknown, Item>(),
    traffic: new Map<unknown, Item>(),
  }
  const told: { event: string; data: { reset?: boolean; items: Item[]; removed?: unknown[] } }[] = []
  let [rest, text, isOpen] = ['', '', true]
  response.setEncoding('utf8').on('data', (chunk: string) => {
    if (response.statusCode !== 200) text += chunk
    const blocks = (rest + chunk).split('\n\n')
    rest = blocks.pop() ?? ''
    for (const block of blocks) {
      const [, event = '', json] = /^event: (\w+)\ndata: (.*)$/.exec(block) ?? []
      if (json === undefined) continue
      const data = JSON.parse(json)
      told.push({ event, data })
      const list = lists[event as keyof typeof lists]
      if (data.reset) list.clear()
      for (const item of data.items) list.set(item.id, item)
      for (const id of data.removed ?? []) list.delete(id)
    }
  })
  response.on('error', () => undefined)
  response.on('close', () => {
    isOpen = false
  })
  return {
    ...lists,
    told,
    text: () => text,
    get isOpen() {
      return isOpen
    },
    close: () => void response.destroy(),
  }
}
