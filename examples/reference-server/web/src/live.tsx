import type { Allocation, Device, Relay } from '@sallyport/relay/client'
import { type ComponentChildren, createContext } from 'preact'
import { useCallback, useContext, useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { api, PanelProblem, unwrap } from './api.js'
import { useSession } from './session.js'

/** What passes an allocation now. */
export interface LiveTraffic {
  readonly id: number
  readonly bytesIn: number
  readonly bytesOut: number
  readonly connections: number
  readonly open: number
  readonly bytesInPerSecond: number
  readonly bytesOutPerSecond: number
}

interface Kinds {
  devices: Device
  allocations: Allocation
  relays: Relay
}
type Kind = keyof Kinds
type Lists = { readonly [K in Kind]: readonly Kinds[K][] | undefined }
interface Change<K extends Kind> {
  readonly reset?: boolean
  readonly items?: readonly Kinds[K][]
  readonly removed?: readonly Kinds[K]['id'][]
}

/** What the panel tells by server-sent events (`GET /api/tunnel/events`). A list is `undefined` until it is known. */
export interface Live extends Lists {
  /** `lost`: it is tried again; what is shown may be old. `disabled`: tunnels are switched off. */
  readonly state: 'connecting' | 'live' | 'lost' | 'disabled'
  /** Tries again now: what stood against it may be gone. */
  retry(): void
  /** Shows at once what an answer has told already. */
  apply<K extends Kind>(kind: K, change: Change<K>): void
}

const nothing: Lists = { devices: undefined, allocations: undefined, relays: undefined }
const kinds = ['devices', 'allocations', 'relays'] as const
const LiveContext = createContext<Live | undefined>(undefined)
const TrafficContext = createContext<ReadonlyMap<number, LiveTraffic>>(new Map())
const shortestRetryMs = 1_000
const longestRetryMs = 30_000
/** Of a tab in the background, until it stops listening. */
const hiddenForMs = 10_000

export function LiveProvider({ children }: { children: ComponentChildren }) {
  const [lists, setLists] = useState(nothing)
  const [state, setState] = useState<Live['state']>('connecting')
  const [traffic, setTraffic] = useState<ReadonlyMap<number, LiveTraffic>>(new Map())
  const { reload } = useSession()
  const retryMs = useRef(shortestRetryMs)
  const retry = useRef(() => {})

  const apply = useCallback(<K extends Kind>(kind: K, change: Change<K>) => {
    setLists((before) => ({ ...before, [kind]: merge(before[kind], change) }))
  }, [])

  useEffect(() => {
    let source: EventSource | undefined
    let retrying: ReturnType<typeof setTimeout> | undefined
    let hiding: ReturnType<typeof setTimeout> | undefined
    let isFirst = true
    const close = () => {
      clearTimeout(retrying)
      source?.close()
      source = undefined
    }
    const open = () => {
      close()
      const opened = new EventSource('/api/tunnel/events')
      source = opened
      opened.onopen = () => {
        retryMs.current = shortestRetryMs
        setState('live')
        // In the meantime somebody else may have signed in in another tab, or may now do more or less.
        if (!isFirst) void reload()
        isFirst = false
      }
      for (const kind of kinds) {
        opened.addEventListener(kind, ({ data }) => apply(kind, JSON.parse(data)))
      }
      // Rates of before a gap would stand for ever.
      opened.addEventListener('allocations', ({ data }) => JSON.parse(data).reset && setTraffic(new Map()))
      opened.addEventListener('traffic', ({ data }) => {
        const { items } = JSON.parse(data) as { items: LiveTraffic[] }
        setTraffic((before) => new Map([...before, ...items.map((item) => [item.id, item] as const)]))
      })
      opened.onerror = () => {
        // Tunnels that are switched off are not lost with each try.
        setState((before) => (before === 'disabled' ? before : 'lost'))
        // Else the browser tries again by itself.
        if (opened.readyState === EventSource.CLOSED) void refused(opened)
      }
    }
    /** A browser does not say why a stream was refused; the list does. */
    const refused = async (opened: EventSource) => {
      const why = await unwrap(api.GET('/api/tunnel/devices')).then(() => undefined, toProblem)
      if (why?.status === 401) await reload()
      if (source !== opened) return
      setState(why?.error === 'feature_disabled' ? 'disabled' : 'lost')
      retrying = setTimeout(open, retryMs.current * (0.75 + Math.random() / 2))
      retryMs.current = Math.min(retryMs.current * 2, longestRetryMs)
    }
    // Over HTTP/1.1 a browser has six connections to an origin, whatever the number of tabs: one that nobody sees gives its back.
    const onVisibility = () => {
      clearTimeout(hiding)
      if (document.hidden) hiding = setTimeout(close, hiddenForMs)
      else if (source === undefined) open()
    }
    retry.current = open
    open()
    document.addEventListener('visibilitychange', onVisibility)
    return () => {
      document.removeEventListener('visibilitychange', onVisibility)
      clearTimeout(hiding)
      close()
    }
  }, [apply, reload])

  const live = useMemo(() => ({ ...lists, state, apply, retry: () => retry.current() }), [lists, state, apply])
  return (
    <LiveContext.Provider value={live}>
      <TrafficContext.Provider value={traffic}>{children}</TrafficContext.Provider>
    </LiveContext.Provider>
  )
}

export function useLive(): Live {
  const live = useContext(LiveContext)
  if (!live) throw new Error('useLive is for what is inside LiveProvider')
  return live
}

/** Live numbers of one allocation; before there are any, those of the list. */
export function useTraffic({ id, traffic }: Allocation): LiveTraffic {
  const known = useContext(TrafficContext).get(id)
  return known ?? { id, ...traffic, bytesInPerSecond: 0, bytesOutPerSecond: 0 }
}

/** What has been told of traffic, by allocation. */
export function useAllTraffic(): ReadonlyMap<number, LiveTraffic> {
  return useContext(TrafficContext)
}

/** Of all allocations together. */
export function useTrafficOf(allocations: readonly Allocation[]): Omit<LiveTraffic, 'id'> {
  const known = useContext(TrafficContext)
  const sum = { bytesIn: 0, bytesOut: 0, connections: 0, open: 0, bytesInPerSecond: 0, bytesOutPerSecond: 0 }
  for (const { id, traffic } of allocations) {
    const one = known.get(id) ?? { ...traffic, bytesInPerSecond: 0, bytesOutPerSecond: 0 }
    for (const key of Object.keys(sum) as (keyof typeof sum)[]) sum[key] += one[key]
  }
  return sum
}

/** New ones go in front, as the lists' newest do. */
function merge<T extends { readonly id: string | number }>(
  before: readonly T[] | undefined,
  { reset, items = [], removed = [] }: { reset?: boolean; items?: readonly T[]; removed?: readonly T['id'][] },
): readonly T[] | undefined {
  if (reset) return items
  if (!before) return before
  const changed = new Map(items.map((item) => [item.id, item]))
  const gone = new Set(removed)
  const kept = before.filter(({ id }) => !gone.has(id)).map((item) => changed.get(item.id) ?? item)
  const known = new Set(before.map(({ id }) => id))
  return [...items.filter(({ id }) => !known.has(id)), ...kept]
}

function toProblem(error: unknown): PanelProblem | undefined {
  return error instanceof PanelProblem ? error : undefined
}
