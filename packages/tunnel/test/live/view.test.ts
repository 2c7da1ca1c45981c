import { coreErrors, type EventStream, eventFrame, type Principal } from '@sallyport/core'
import { createTestLogger } from '@sallyport/core/testing'
import t, { type Test } from 'tap'
import type { Device } from '../../dist/devices/device.js'
import { listsChanged } from '../../dist/events.js'
import { createLiveChanges } from '../../dist/live/changes.js'
import { listNews } from '../../dist/live/list-news.js'
import { createListDigests } from '../../dist/live/list-reading.js'
import { createPaced } from '../../dist/live/paced.js'
import { createSubscriber } from '../../dist/live/subscriber.js'
import { createLiveView, type LiveView } from '../../dist/live/view.js'
import { until } from '../support/until.js'

const ann: Principal = { kind: 'user', id: 'ann', userId: 'ann', permissions: [], memberships: [], strategy: 'test' }
const nobody = { ownerIds: new Set<string>(), organisationIds: new Set<string>() }
const device = (id: string): Device => ({ id, online: false, expiresAt: null, lastSeenAt: null }) as Device

interface Told {
  readonly stream: EventStream & { ready: boolean }
  readonly frames: string[]
}

function told(check: () => Promise<void> = async () => undefined): Told {
  const frames: string[] = []
  const send = (frame: Buffer): void => void frames.push(frame.toString())
  return { frames, stream: { principal: ann, ready: true, check, send, end: () => undefined } }
}

function makeView(t: Test, devices: () => Promise<Device[]>): LiveView {
  const view = createLiveView({
    reach: { everyone: false, userId: 'ann', manages: [], memberOf: [] },
    logger: createTestLogger().logger,
    inTurn: (work) => work(),
    sources: {
      devices,
      allocationRows: async () => [],
      present: async () => [],
      relays: async () => [],
      forgetRelays: () => undefined,
      traffic: { live: () => undefined, refresh: async () => undefined },
    },
  })
  t.teardown(() => view.stop())
  return view
}

t.test('one whose credentials cannot be looked at does not hold up the others', async (t) => {
  const view = makeView(t, async () => [device('a')])
  const stuck = told(() => new Promise(() => undefined))
  stuck.stream.ready = false
  const other = told()
  view.join(stuck.stream, ann)
  view.join(other.stream, ann)
  await until('the other is told', () => other.frames.some((frame) => frame.startsWith('event: devices')), 8_000)
  t.same(stuck.frames, [])
})

t.test('what went while it was being read is not left', async (t) => {
  let reads = 0
  let finish: (() => void) | undefined
  const view = makeView(t, async () => {
    reads += 1
    if (reads > 1) return []
    await new Promise<void>((resolve) => {
      finish = resolve
    })
    return [device('a')]
  })
  const { stream, frames } = told()
  view.join(stream, ann)
  await until('it is read', () => finish)
  // Deleted: whose it was nobody can say any more.
  view.hear(listNews({ devices: new Set(['a']) }), nobody)
  finish?.()
  await until('it is gone', () => frames.some((frame) => frame.includes('"removed":["a"]')), 20_000)
  view.hear(listNews({ devices: new Set(['of somebody else']) }), nobody)
  t.equal(reads, 2)
})

t.test('who missed very much is told everything anew', async (t) => {
  const digests = createListDigests<{ id: string }>('devices', (item) => item)
  const { stream, frames } = told()
  const subscriber = createSubscriber(stream)
  subscriber.deliver('devices', await digests.accept([{ id: 'first' }]))
  stream.ready = false
  subscriber.deliver('devices', await digests.accept(Array.from({ length: 20_001 }, (_, n) => ({ id: `${n}` }))))
  stream.ready = true
  t.same([...subscriber.behind()], ['devices'])
  subscriber.deliver('devices', await digests.accept([{ id: 'last' }]))
  t.equal(frames.at(-1), eventFrame('devices', '{"reset":true,"items":[{"id":"last"}],"removed":[]}').toString())
})

t.test('other instances hear of allocations before the devices that they went with', async (t) => {
  const emitted: unknown[] = []
  const events = {
    async emit(token: unknown, payload: { devices: string[] }) {
      if (token === listsChanged) emitted.push(payload.devices.length > 0 ? 'devices' : 'allocations')
    },
  }
  const changes = createLiveChanges(events as never, createTestLogger().logger)
  changes.devices(['a'])
  changes.allocations(['a'])
  await changes.stop()
  t.equal(emitted.at(-1), 'devices')
  t.ok(emitted.includes('allocations'))
})

t.test('that no turn came is not said for each list', async (t) => {
  const log = createTestLogger()
  let tries = 0
  const paced = createPaced({
    what: 'reading',
    logger: log.logger,
    work: async () => undefined,
    async inTurn() {
      tries += 1
      throw coreErrors.UNAVAILABLE({ reason: 'Too many lists are to be read' })
    },
  })
  paced.soon()
  await until('it was tried', () => tries === 1)
  await paced.stop()
  t.same(log.lines, [])
})
