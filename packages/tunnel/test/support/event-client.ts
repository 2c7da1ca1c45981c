import { get, type IncomingMessage } from 'node:http'
import type { Allocation, AllocationTrafficNow, Device, LiveEvent, RelayRecord } from '../../dist/index.js'
import { until } from './until.js'

type EventName = LiveEvent['event']

export interface Told {
  readonly event: EventName
  // biome-ignore lint/suspicious/noExplicitAny: tests look at it field by field
  readonly data: any
}

/** A reader of `GET /api/tunnel/events` that keeps what it is told, as a dashboard would. */
export interface EventClient {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  /** Of a refusal. */
  readonly body: string
  /** All so far. */
  readonly told: readonly Told[]
  readonly text: () => string
  readonly devices: ReadonlyMap<string, Device>
  readonly allocations: ReadonlyMap<number, Allocation>
  readonly relays: ReadonlyMap<string, RelayRecord>
  readonly traffic: ReadonlyMap<number, AllocationTrafficNow>
  /** Resolves with how it ended. */
  readonly closed: Promise<'end' | 'cut'>
  readonly isOpen: boolean
  /** Takes nothing more until `resume`. */
  pause(): void
  resume(): void
  close(): void
  /** Waits for the first of all three lists. */
  first(): Promise<void>
}

const names: readonly EventName[] = ['devices', 'allocations', 'relays']

export function openEvents(url: string, headers: Record<string, string>): Promise<EventClient> {
  return new Promise((resolve, reject) => {
    const request = get(new URL('/api/tunnel/events', url), { headers, agent: false }, (response) => {
      const client = follow(response)
      if (response.statusCode === 200) resolve(client)
      else void client.closed.then(() => resolve(client))
    })
    request.on('error', reject)
  })
}

function follow(response: IncomingMessage): EventClient {
  const told: Told[] = []
  const lists = {
    devices: new Map<string, Device>(),
    allocations: new Map<number, Allocation>(),
    relays: new Map<string, RelayRecord>(),
  }
  const traffic = new Map<number, AllocationTrafficNow>()
  let [text, rest, isOpen] = ['', '', true]

  const take = (event: EventName, data: Told['data']): void => {
    told.push({ event, data })
    if (event === 'traffic') {
      for (const item of data.items) traffic.set(item.id, item)
      return
    }
    const list = lists[event] as Map<unknown, unknown>
    if (data.reset) list.clear()
    for (const item of data.items) list.set(item.id, item)
    for (const id of data.removed) list.delete(id)
  }
  response.setEncoding('utf8')
  response.on('data', (chunk: string) => {
    text += chunk
    rest += chunk
    const blocks = rest.split('\n\n')
    rest = blocks.pop() ?? ''
    for (const block of blocks) {
      const [, event, json] = /^event: (\w+)\ndata: (.*)$/.exec(block) ?? []
      if (event !== undefined && json !== undefined) take(event as EventName, JSON.parse(json))
    }
  })
  const closed = new Promise<'end' | 'cut'>((resolve) => {
    response.on('end', () => resolve('end'))
    response.on('error', () => resolve('cut'))
    response.on('close', () => {
      isOpen = false
      resolve('cut')
    })
  })
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    get body() {
      return text
    },
    told,
    text: () => text,
    ...lists,
    traffic,
    closed,
    get isOpen() {
      return isOpen
    },
    pause: () => void response.pause(),
    resume: () => void response.resume(),
    close: () => void response.destroy(),
    async first() {
      await until('the first of each list', () => names.every((name) => told.some(({ event }) => event === name)))
    },
  }
}
