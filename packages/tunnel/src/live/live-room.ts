import {
  coreErrors,
  createBoundedWork,
  type Disposer,
  type EventFeed,
  type EventStream,
  isDatabaseUnavailable,
  type Logger,
  type Principal,
  type Sql,
} from '@sallyport/core'
import { type Reach, reachOf } from '../access.js'
import type { LiveConfig } from '../config.js'
import { tunnelErrors } from '../errors.js'
import { createTracked } from '../tracked.js'
import type { LiveChanges } from './changes.js'
import type { ListNews } from './list-news.js'
import { createOwnersOf } from './owners-of.js'
import type { Subscriber } from './subscriber.js'
import { createLiveView, type LiveSources, type LiveView } from './view.js'

/** The streams of this instance. */
export interface LiveRoom {
  /**
   * Takes a stream in.
   * @throws `TUNNEL_ERR_TOO_MANY_STREAMS` (429), 503 when the instance has no room, 403 for a key that may not read tunnels
   */
  open(stream: EventStream): EventFeed
  readonly size: number
  /** Looks at everybody's credentials now. */
  checkAll(): void
  /** Follows changes and, each second, traffic, until the disposer is called. */
  follow(): Disposer
}

interface LiveRoomOptions {
  readonly sql: Sql
  readonly logger: Logger
  readonly config: LiveConfig
  readonly sources: LiveSources
  readonly changes: LiveChanges
  readonly onSample: (handler: () => void) => Disposer
  /** Whether other instances are heard. */
  readonly connected: () => boolean
}

/** Lists that are read at a time. */
const readsAtATime = 4
const readWaitMs = 60_000
const retryAfterSeconds = 10
/** What no event told of is found after this long; sooner while the other instances are not heard. */
const refreshMs = 30_000
const unheardRefreshMs = 5_000
/** How often is looked which instances live: with one that died go the devices that it had. */
const instancesMs = 3_000

export function createLiveRoom(options: LiveRoomOptions): LiveRoom {
  const { sql, logger, config, sources, changes, onSample, connected } = options
  const views = new Map<string, { readonly view: LiveView; refreshedAt: number; spread: number }>()
  const streams = new Set<EventStream>()
  const perPrincipal = new Map<string, number>()
  const ending = new Set<Promise<void>>()
  const ownersOf = createOwnersOf(sql)
  let busySaidAt = Number.NEGATIVE_INFINITY
  const inTurn = createBoundedWork({
    concurrency: readsAtATime,
    maxWaiting: 3 * config.maxStreams,
    waitTimeoutMs: readWaitMs,
    busy() {
      const now = performance.now()
      if (now - busySaidAt > readWaitMs) {
        busySaidAt = now
        logger.warn({ streams: streams.size }, 'lists wait too long to be read for those who watch them')
      }
      return coreErrors.UNAVAILABLE({ reason: 'Too many lists are to be read' })
    },
  })

  const refreshed = () => ({ refreshedAt: performance.now(), spread: 0.8 + Math.random() * 0.4 })

  const viewFor = (key: string, reach: Reach): LiveView => {
    const known = views.get(key)
    if (known) return known.view
    const view = createLiveView({ reach, sources, logger, inTurn })
    views.set(key, { view, ...refreshed() })
    return view
  }
  const leave = (key: string, subscriber: Subscriber): void => {
    const one = views.get(key)
    one?.view.leave(subscriber)
    if (!one || one.view.size > 0) return
    views.delete(key)
    const ended = one.view.stop().finally(() => ending.delete(ended))
    ending.add(ended)
  }

  const count = (principal: string, by: 1 | -1): void => {
    const now = (perPrincipal.get(principal) ?? 0) + by
    if (now > 0) perPrincipal.set(principal, now)
    else perPrincipal.delete(principal)
  }
  const assertRoom = (principal: string): void => {
    const retryAfter = retryAfterSeconds + Math.floor(Math.random() * retryAfterSeconds)
    const most = config.maxStreamsPerPrincipal
    if ((perPrincipal.get(principal) ?? 0) >= most) {
      throw tunnelErrors.TOO_MANY_STREAMS({ limit: most }, { retryAfter })
    }
    if (streams.size < config.maxStreams) return
    throw coreErrors.UNAVAILABLE({ reason: 'Too many streams are open' }, { retryAfter })
  }

  const hear = async (news: ListNews): Promise<void> => {
    if (news.relays || news.all) sources.forgetRelays()
    const narrow = [...views.values()].some(({ view }) => !view.reach.everyone)
    try {
      const owners = await ownersOf(narrow && !news.all ? [...news.devices, ...news.allocations] : [])
      for (const { view } of views.values()) view.hear(news, owners)
    } catch {
      // Whose it is cannot be found out: whoever watches looks for themselves.
      for (const { view } of views.values()) view.refresh()
    }
  }

  const sample = async (): Promise<void> => {
    // Asked each time: once the others are not heard any more, the long wait does not count.
    const afterMs = connected() ? refreshMs : unheardRefreshMs
    for (const one of views.values()) {
      if (performance.now() - one.refreshedAt < afterMs * one.spread) continue
      Object.assign(one, refreshed())
      one.view.refresh()
    }
    for (const { view } of views.values()) await view.tick()
  }

  let living: string | undefined
  const lookAtInstances = async (): Promise<void> => {
    if (views.size === 0) return
    const rows = await sql<{ id: string }>('SELECT id FROM tunnel_instances WHERE alive_until > now() ORDER BY id', [])
    const now = rows.map(({ id }) => id).join()
    if (living !== undefined && living !== now) for (const { view } of views.values()) view.refresh()
    living = now
  }

  return {
    open(stream) {
      const principal = stream.principal as Principal
      const name = `${principal.kind}:${principal.id}`
      let { key, reach } = reachKey(principal)
      assertRoom(name)
      streams.add(stream)
      count(name, 1)
      let subscriber = viewFor(key, reach).join(stream, principal)
      return {
        resume: () => views.get(key)?.view.resume(subscriber),
        principalChanged(next) {
          let now: ReturnType<typeof reachKey>
          try {
            now = reachKey(next)
          } catch {
            stream.end()
            return
          }
          if (now.key === key) return
          leave(key, subscriber)
          ;({ key, reach } = now)
          subscriber = viewFor(key, reach).join(stream, next)
        },
        ended() {
          streams.delete(stream)
          count(name, -1)
          leave(key, subscriber)
        },
      }
    },
    get size() {
      return streams.size
    },
    checkAll() {
      for (const stream of streams) void stream.check(0)
    },
    follow() {
      const background = createTracked()
      const run = (what: string, work: () => Promise<void>): void => {
        if (views.size === 0 || busy.has(what)) return
        busy.add(what)
        const logged = work().catch((error: unknown) => {
          if (!isDatabaseUnavailable(error)) logger.warn({ err: error }, `${what} failed`)
        })
        background.add(logged.finally(() => busy.delete(what)))
      }
      const busy = new Set<string>()
      const timer = setInterval(() => run('looking which instances live', lookAtInstances), instancesMs).unref()
      const disposers = [
        changes.on((news) => background.add(hear(news))),
        onSample(() => run('telling of traffic', sample)),
        () => clearInterval(timer),
      ]
      return async () => {
        for (const dispose of disposers) await dispose()
        for (const stream of [...streams]) stream.end()
        await background.idle()
        await Promise.all(ending)
      }
    },
  }
}

function reachKey(principal: Principal): { readonly key: string; readonly reach: Reach } {
  const reach = reachOf(principal, 'read')
  return { key: JSON.stringify(reach), reach }
}
