// What must end a stream, and what must not.
import t, { type Test } from 'tap'
import type { TunnelConfig } from '../../dist/index.js'
import { type EventClient, openEvents } from '../support/event-client.js'
import { createGrants, type Grants } from '../support/grants.js'
import { admin, type Panel, startPanel } from '../support/panel.js'
import { until } from '../support/until.js'
import { type TestUser, userHeader } from '../support/users.js'

const ann: TestUser = { id: 'ann' }
/** As the contract has it. */
const withinMs = 5_000

interface Watched {
  readonly panel: Panel
  readonly grants: Grants
  readonly watcher: EventClient
}

async function watch(t: Test, grant: TestUser, live: Partial<TunnelConfig['live']> = {}): Promise<Watched> {
  const grants = createGrants()
  const panel = await startPanel({ config: { relay: false, live }, plugins: [grants.plugin] })
  t.teardown(() => panel.stop())
  grants.set('x', grant)
  const watcher = await openEvents(panel.url, grants.headers('x'))
  await watcher.first()
  return { panel, grants, watcher }
}

const ended = (watcher: EventClient) => until('the end', () => !watcher.isOpen, withinMs)

t.test('a revoked credential', async (t) => {
  const { grants, watcher } = await watch(t, ann)
  grants.set('x', 'refused')
  await ended(watcher)
  t.equal(await watcher.closed, 'end')
})

t.test('a credential that is another’s', async (t) => {
  const { grants, watcher } = await watch(t, ann)
  grants.set('x', { id: 'ben' })
  await ended(watcher)
})

t.test('a key that may not read any more', async (t) => {
  const { grants, watcher } = await watch(t, { id: 'key', kind: 'apiKey', userId: 'ann', scopes: ['tunnels:read'] })
  grants.set('x', { id: 'key', kind: 'apiKey', userId: 'ann', scopes: [] })
  await ended(watcher)
})

t.test('tunnels switched off, at once', async (t) => {
  const { panel, grants, watcher } = await watch(t, ann)
  const looks = grants.looks
  await panel.setFeature(false)
  await until('the end', () => !watcher.isOpen, 1_000)
  t.equal(grants.looks, looks, 'nobody’s credentials were asked for')
  t.equal((await openEvents(panel.url, grants.headers('x'))).status, 403)
})

t.test('its time', async (t) => {
  // Long enough for the first lists to come before.
  const { watcher } = await watch(t, ann, { lifeMs: 2_500 })
  await until('the end', () => !watcher.isOpen)
  t.equal(await watcher.closed, 'end')
})

t.test('a stop of the panel, which does not wait for it', async (t) => {
  const { panel, grants } = await watch(t, ann)
  const watchers = await Promise.all(Array.from({ length: 5 }, () => openEvents(panel.url, grants.headers('x'))))
  const begun = performance.now()
  await panel.stop()
  t.ok(performance.now() - begun < 3_000, `${Math.round(performance.now() - begun)} ms`)
  for (const { closed } of watchers) t.equal(await closed, 'end')
})

t.test('permissions that change show other things, in a new first', async (t) => {
  const { panel, grants, watcher } = await watch(t, ann, { checkMs: 100 })
  const device = await panel.enrol({ id: 'ben' })
  t.notOk(watcher.devices.has(device.id))
  grants.set('x', { ...ann, permissions: ['tunnels:read'] })
  await until('everyone’s', () => watcher.devices.has(device.id), withinMs)
  grants.set('x', ann)
  await until('her own', () => !watcher.devices.has(device.id), withinMs)
  t.ok(watcher.isOpen)
  t.equal(watcher.told.filter(({ event, data }) => event === 'devices' && data.reset).length, 3)
})

t.test('while it cannot be found out nothing is sent for long, and then all is caught up with', async (t) => {
  const { panel, grants, watcher } = await watch(t, { ...ann, permissions: ['tunnels:read'] }, { checkMs: 100 })
  grants.set('x', 'fault')
  // The last good look counts for five seconds.
  const looksAt = performance.now()
  await until('it counts no more', () => performance.now() - looksAt > 5_100, 10_000)
  const before = watcher.told.length
  const device = await panel.enrol(ann)
  const seen = await openEvents(panel.url, userHeader(admin))
  await until('others see it', () => seen.devices.has(device.id))
  t.ok(watcher.isOpen)
  t.equal(watcher.told.length, before)
  grants.set('x', { ...ann, permissions: ['tunnels:read'] })
  // A list that was long in being read is read again ten seconds later.
  await until('it sees it too', () => watcher.devices.has(device.id), 20_000)
  seen.close()
})
