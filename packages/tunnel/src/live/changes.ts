import type { Disposer, Events, Logger } from '@sallyport/core'
import type { AuditedChange } from '../audit-trail.js'
import { allocationsChanged, allocationsServed, listsChanged, relaysChanged } from '../events.js'
import { inChunks } from '../in-chunks.js'
import { gatherNews, type ListNews, listNews } from './list-news.js'

/** What makes the lists of devices, allocations and relays show something else, gathered from whoever does it on any instance. */
export interface LiveChanges {
  devices(ids: Iterable<string>): void
  /** Allocations of these devices. */
  allocations(deviceIds: Iterable<string>): void
  relays(): void
  /** More than can be named. */
  everything(): void
  /** For the audit trail. */
  audited(change: AuditedChange): void
  /** Told of what happened here and elsewhere since the last time, some times a second at most. */
  on(handler: (news: ListNews) => void): Disposer
  /** Follows the other instances. */
  listen(): Disposer
  /** Tells what is left to tell. */
  stop(): Promise<void>
}

/** Those who watch at this instance are told sooner. */
const hereMs = 50
const elsewhereMs = 250
/** Ids of one event, which holds at most 64 KiB. */
const maxIdsPerEvent = 1_000
/** With these a device's allocations may be gone too. */
const endsAllocations: ReadonlySet<string> = new Set(['device.deleted', 'device.revoked'])

export function createLiveChanges(events: Events, logger: Logger): LiveChanges {
  const handlers = new Set<{ readonly run: (news: ListNews) => void }>()
  const here = gatherNews()
  const elsewhere = gatherNews()
  let hereTimer: NodeJS.Timeout | undefined
  let elsewhereTimer: NodeJS.Timeout | undefined
  let stopped = false

  const hear = (news: ListNews): void => {
    here.add(news)
    if (stopped) return
    hereTimer ??= setTimeout(() => {
      hereTimer = undefined
      const told = here.take()
      for (const { run } of handlers) run(told)
    }, hereMs).unref()
  }

  const emit = async (): Promise<void> => {
    clearTimeout(elsewhereTimer)
    elsewhereTimer = undefined
    const { all, relays, devices, allocations } = elsewhere.take()
    const none = { devices: [], allocations: [], relays }
    if (all || (relays && devices.size + allocations.size === 0)) await events.emit(listsChanged, { ...none, all })
    // First, while those who watch still have a device that is gone: by it they know that these were theirs.
    for (const ids of inChunks([...allocations], maxIdsPerEvent)) {
      await events.emit(listsChanged, { ...none, allocations: ids })
    }
    for (const ids of inChunks([...devices], maxIdsPerEvent)) {
      await events.emit(listsChanged, { ...none, devices: ids })
    }
  }
  const emitLogged = (): Promise<void> =>
    emit().catch((error: unknown) => logger.warn({ err: error }, 'the other instances could not be told of changes'))

  const tell = (given: Partial<ListNews>): void => {
    const news = listNews(given)
    hear(news)
    elsewhere.add(news)
    if (!stopped) elsewhereTimer ??= setTimeout(() => void emitLogged(), elsewhereMs).unref()
  }

  return {
    devices: (ids) => tell({ devices: new Set(ids) }),
    allocations: (deviceIds) => tell({ allocations: new Set(deviceIds), relays: true }),
    relays: () => tell({ relays: true }),
    everything: () => tell({ all: true }),
    audited({ action, id, data }) {
      // What allocations and relays show of a relay is its device's.
      if (action === 'device.renamed' && data['kind'] === 'server') tell({ all: true })
      else if (action.startsWith('device.')) {
        const devices = new Set([id])
        tell({ devices, ...(endsAllocations.has(action) && { allocations: devices, relays: true }) })
      } else if (typeof data['deviceId'] === 'string') {
        tell({ allocations: new Set([data['deviceId']]), relays: true })
      }
    },
    on(run) {
      const entry = { run }
      handlers.add(entry)
      return () => void handlers.delete(entry)
    },
    listen() {
      const ofDevices = (ids: Iterable<string>): ListNews => listNews({ allocations: new Set(ids), relays: true })
      const disposers = [
        events.on(listsChanged, ({ all = false, relays, devices, allocations }, { remote }) => {
          if (remote) hear(listNews({ all, relays, devices: new Set(devices), allocations: new Set(allocations) }))
        }),
        // These are told to every instance anyway.
        events.on(allocationsChanged, ({ deviceIds }) => hear(ofDevices(deviceIds))),
        events.on(allocationsServed, ({ allocations }) => hear(ofDevices(allocations.map(({ deviceId }) => deviceId)))),
        // With a relay comes and goes the state of everything on it.
        events.on(relaysChanged, () => hear(listNews({ relays: true, allAllocations: true }))),
        events.onResync(() => hear(listNews({ all: true }))),
      ]
      return async () => {
        for (const dispose of disposers) await dispose()
      }
    },
    async stop() {
      stopped = true
      clearTimeout(hereTimer)
      await emitLogged()
    },
  }
}
