import type { EventStream, Logger, Principal } from '@sallyport/core'
import type { Reach } from '../access.js'
import type { Allocation, AllocationRow } from '../allocations/allocation.js'
import type { Device } from '../devices/device.js'
import type { RelayRecord } from '../relays/relay-record.js'
import type { TrafficCounter } from '../traffic/traffic.js'
import { within } from '../within.js'
import type { ListNews } from './list-news.js'
import { createListDigests, type ListDigests } from './list-reading.js'
import { createPaced, type Paced } from './paced.js'
import { createSubscriber, type ListName, listNames, type Subscriber } from './subscriber.js'
import { createTrafficNumbers } from './traffic-numbers.js'

/** What lists are read by: the same as their routes. */
export interface LiveSources {
  devices(principal: Principal): Promise<Device[]>
  allocationRows(principal: Principal): Promise<AllocationRow[]>
  present(rows: readonly AllocationRow[]): Promise<Allocation[]>
  relays(principal: Principal): Promise<RelayRecord[]>
  /** The next reading of the relays is to be of what is there then. */
  forgetRelays(): void
  readonly traffic: Pick<TrafficCounter, 'live' | 'refresh'>
}

/** Whose devices were changed. */
export interface ChangedOwners {
  readonly ownerIds: ReadonlySet<string>
  readonly organisationIds: ReadonlySet<string>
}

/** What all streams of those who see the same things share: the lists as last read, and their numbers. */
export interface LiveView {
  readonly reach: Reach
  readonly size: number
  /** It is told everything first. */
  join(stream: EventStream, principal: Principal): Subscriber
  leave(subscriber: Subscriber): void
  /** What it missed is told as soon as may be. */
  resume(subscriber: Subscriber): void
  /** @param owners of the devices in the news, as far as they are there still; not needed for one who sees everything */
  hear(news: ListNews, owners: ChangedOwners): void
  /** Everything is read again, in its time. */
  refresh(): void
  /** A second is over. */
  tick(): Promise<void>
  stop(): Promise<void>
}

interface ViewOptions {
  readonly reach: Reach
  readonly sources: LiveSources
  readonly logger: Logger
  readonly inTurn: (work: () => Promise<void>) => Promise<void>
}

/** Credentials of those who are about to be told something were looked at so lately. */
const checkedMs = 1_000
/** One whose credentials take long to be looked at does not hold up the others; it is told only while the last look still counts. */
const maxCheckMs = 2_000
const maxTimerMs = 600_000

export function createLiveView({ reach, sources, logger, inTurn }: ViewOptions): LiveView {
  const subscribers = new Set<Subscriber>()
  const numbers = createTrafficNumbers()
  // While they are online that changes with each reading.
  const withoutNow = <T extends { online: boolean; lastSeenAt: string | null }>(item: T): object =>
    item.online ? { ...item, lastSeenAt: null } : item
  const devices = createListDigests<Device>('devices', withoutNow)
  const allocations = createListDigests<Allocation>('allocations', (item) => ({ ...item, traffic: undefined }))
  const relays = createListDigests<RelayRecord>('relays', withoutNow)
  /** Devices in the news while the list is read: whether it has them is not known yet. */
  let unsure: Set<string> | undefined
  /** Anyone of those who see the same. */
  let as: Principal | undefined
  let expiry: NodeJS.Timeout | undefined

  const read = async <Item>(
    list: ListName,
    digests: ListDigests<Item>,
    items: (principal: Principal) => Promise<readonly Item[]>,
  ): Promise<void> => {
    if (!as || subscribers.size === 0) return
    const checks = Promise.all([...subscribers].map(({ stream }) => stream.check(checkedMs)))
    const [found] = await Promise.all([items(as), within(maxCheckMs, checks)])
    const reading = await digests.accept(found)
    for (const subscriber of subscribers) subscriber.deliver(list, reading)
  }

  /** An enrolment that nobody approves disappears without anybody's doing. */
  const awaitExpiry = (found: readonly Device[]): void => {
    clearTimeout(expiry)
    const times = found.flatMap(({ expiresAt }) => (expiresAt === null ? [] : [Date.parse(expiresAt)]))
    if (times.length === 0) return
    const waitMs = Math.min(Math.max(times.reduce((a, b) => Math.min(a, b)) - Date.now(), 0) + 1, maxTimerMs)
    expiry = setTimeout(() => lists.devices.ask(), waitMs).unref()
  }

  const readDevices = async (): Promise<void> => {
    const heard = new Set<string>()
    unsure = heard
    try {
      await read('devices', devices, async (principal) => {
        const found = await sources.devices(principal)
        awaitExpiry(found)
        return found
      })
    } finally {
      unsure = undefined
    }
    if (!intersects(heard, devices)) return
    lists.devices.ask()
    lists.allocations.ask()
  }

  const works: Record<ListName, () => Promise<void>> = {
    devices: readDevices,
    allocations: () =>
      read('allocations', allocations, async (principal) => {
        const rows = await sources.allocationRows(principal)
        const found = await sources.present(rows)
        numbers.accept(rows, found)
        return found
      }),
    relays: () => read('relays', relays, sources.relays),
  }
  const paced = (list: ListName): Paced =>
    createPaced({ what: `reading ${list} for those who watch them`, logger, work: works[list], inTurn })
  const lists: Readonly<Record<ListName, Paced>> = {
    devices: paced('devices'),
    allocations: paced('allocations'),
    relays: paced('relays'),
  }

  const concerns = (ids: ReadonlySet<string>, { ownerIds, organisationIds }: ChangedOwners): boolean => {
    if (ids.size === 0) return false
    if (reach.everyone) return true
    if (reach.userId !== undefined && ownerIds.has(reach.userId)) return true
    if (reach.manages.some((id) => organisationIds.has(id))) return true
    if (intersects(ids, devices)) return true
    if (unsure) for (const id of ids) unsure.add(id)
    return false
  }

  return {
    reach,
    get size() {
      return subscribers.size
    },
    join(stream, principal) {
      const subscriber = createSubscriber(stream)
      subscribers.add(subscriber)
      as = principal
      for (const list of listNames) lists[list].soon()
      return subscriber
    },
    leave: (subscriber) => void subscribers.delete(subscriber),
    resume(subscriber) {
      for (const list of subscriber.behind()) lists[list].ask()
    },
    hear(news, owners) {
      if (news.all || concerns(news.devices, owners)) lists.devices.ask()
      if (news.all || news.allAllocations || concerns(news.allocations, owners)) lists.allocations.ask()
      if (news.all || news.relays) lists.relays.ask()
    },
    refresh() {
      for (const list of listNames) lists[list].ask()
    },
    async tick() {
      // Who came in the very moment in which a reading ended.
      for (const list of listNames) if (some(subscribers, (one) => one.awaits(list))) lists[list].soon()
      if (numbers.relayIds.size === 0) return
      await sources.traffic.refresh(numbers.relayIds)
      const changed = numbers.look(sources.traffic.live)
      for (const subscriber of subscribers) subscriber.deliverTraffic(changed, numbers)
    },
    async stop() {
      clearTimeout(expiry)
      await Promise.all(listNames.map((list) => lists[list].stop()))
      clearTimeout(expiry)
    },
  }
}

function intersects(ids: ReadonlySet<string>, list: ListDigests<unknown>): boolean {
  return list.size > ids.size ? some(ids, (id) => list.has(id)) : some(list.ids(), (id) => ids.has(String(id)))
}

function some<Item>(items: Iterable<Item>, condition: (item: Item) => boolean): boolean {
  for (const item of items) if (condition(item)) return true
  return false
}
