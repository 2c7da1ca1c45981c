import t from 'tap'
import { ItemKind } from '../../dist/datagrams/channel-items.js'
import { generationOf, isLaterGeneration, slotOf } from '../../dist/flows/flow-id.js'
import { RelayFlows } from '../../dist/flows/relay-flows.js'
import { encodeMessage } from '../../dist/link/protocol.js'
import { until } from '../support.js'
import { TestChannel } from './channel-pair.js'
import { openFlow, startDeviceFlows } from './flow-ends.js'

const NOTHING = Buffer.alloc(0)

t.test('a slot is used again by a later generation, and not at once', async (t) => {
  const flows = startDeviceFlows(t, new TestChannel())
  const seen = new Map<number, number>()
  for (let n = 0; n < 2_000; n += 1) {
    const { flow } = openFlow(flows, 9)
    const id = flow?.id ?? -1
    const before = seen.get(slotOf(id))
    if (before !== undefined && !isLaterGeneration(generationOf(id), before)) t.fail(`generation of ${id}`)
    seen.set(slotOf(id), generationOf(id))
    flow?.close()
  }
  t.equal(seen.size, 256)
  t.equal(flows.size, 0)
})

t.test('there are 65,536 flows and not one more', async (t) => {
  const flows = startDeviceFlows(t, new TestChannel({ lost: 1, doubled: 0, late: 0 }))
  const ids = new Set<number | undefined>()
  let last = openFlow(flows, 9)
  ids.add(last.flow?.id)
  for (let n = 1; n < 65_536; n += 1) {
    last = openFlow(flows, 9)
    ids.add(last.flow?.id)
  }
  t.equal(ids.size, 65_536)
  t.equal(openFlow(flows, 9).flow, undefined)
  last.flow?.close()
  const next = openFlow(flows, 9)
  t.equal(slotOf(next.flow?.id ?? 0), slotOf(last.flow?.id ?? 1))
  t.not(next.flow?.id, last.flow?.id)
})

t.test('generations are compared the shorter way round', async (t) => {
  t.ok(isLaterGeneration(1, 0))
  t.ok(isLaterGeneration(0, 65_535))
  t.notOk(isLaterGeneration(0, 0))
  t.notOk(isLaterGeneration(0, 1))
  t.notOk(isLaterGeneration(65_535, 0))
})

t.test('items for a flow that is over are dropped, and the agent is told', async (t) => {
  const channel = new TestChannel()
  const flows = startDeviceFlows(t, channel)
  const player = openFlow(flows, 9)
  const id = player.flow?.id ?? 0
  player.flow?.close()
  channel.sent.length = 0
  for (const kind of Object.values(ItemKind)) channel.hooks?.onItem(kind, id, Buffer.from('x'))
  t.same(player.heard, [])
  t.equal(player.ended, 0)
  t.same(
    channel.sent.map(({ kind }) => kind),
    [ItemKind.CLOSE, ItemKind.CLOSE],
    'once for OPENED and once for DATA',
  )
})

t.test('items of an earlier generation do not reach the flow that has the slot now', async (t) => {
  const channel = new TestChannel()
  const flows = startDeviceFlows(t, channel, { minSlots: 1 })
  const old = openFlow(flows, 9)
  old.flow?.close()
  const young = openFlow(flows, 9)
  t.equal(slotOf(young.flow?.id ?? 0), slotOf(old.flow?.id ?? 1))
  for (const kind of [ItemKind.OPENED, ItemKind.DATA, ItemKind.CLOSE])
    channel.hooks?.onItem(kind, old.flow?.id ?? 0, Buffer.from('x'))
  t.match(young, { heard: [], opened: 0, ended: 0 })
  channel.hooks?.onItem(ItemKind.DATA, young.flow?.id ?? 0, Buffer.from('y'))
  t.same(young.heard, ['y'])
})

t.test('a datagram from the target stands for OPENED', async (t) => {
  const channel = new TestChannel()
  const player = openFlow(startDeviceFlows(t, channel), 9)
  channel.hooks?.onItem(ItemKind.DATA, player.flow?.id ?? 0, Buffer.from('x'))
  t.equal(player.opened, 1)
  player.send('y')
  t.same(
    channel.sent.map(({ kind }) => kind),
    [ItemKind.DATA],
  )
})

t.test('REJECTED that is none is passed over', async (t) => {
  const channel = new TestChannel()
  const player = openFlow(startDeviceFlows(t, channel), 9)
  const item = (payload: Buffer) => channel.hooks?.onItem(ItemKind.REJECTED, player.flow?.id ?? 0, payload)
  item(NOTHING)
  item(encodeMessage({ error: 'made_up' }))
  t.same(player.rejected, [])
  item(encodeMessage({ error: 'target_timeout' }))
  item(encodeMessage({ error: 'target_timeout' }))
  t.same(player.rejected, ['target_timeout'])
})

t.test('a path that is gone is waited for, for a while', async (t) => {
  const channel = new TestChannel()
  const flows = startDeviceFlows(t, channel, { linkWaitMs: 100 })
  const player = openFlow(flows, 9)
  t.equal(flows.reachable, true)
  channel.setPath(undefined)
  t.equal(flows.reachable, true)
  t.equal(player.send('x'), false)
  await until(() => player.away === 1)
  t.equal(flows.reachable, false)
  flows.linked()
  t.equal(flows.reachable, true, 'the path follows the link')
  channel.setPath('stream')
  t.equal(player.paths, 1)
  t.equal(player.send('x'), true)
  t.equal(player.ended, 0)
})

t.test('a relay keeps the tables of linked devices and of those with flows', async (t) => {
  const channels: TestChannel[] = []
  const flows = new RelayFlows({
    limits: { linkWaitMs: 1_000 },
    createChannel: (_deviceId, hooks) => {
      const channel = new TestChannel()
      channels.push(channel)
      return channel.open(hooks)
    },
    wake: () => {},
  })
  t.teardown(() => flows.close())
  t.equal(flows.find('a'), undefined)
  const first = flows.welcome('a')
  t.equal(flows.welcome('a'), first, 'a new link has the table of before')
  t.not(flows.welcome('b').id, first.id)
  const player = openFlow(first, 9)
  flows.sessionEnd('a')
  t.equal(flows.find('a'), first)
  flows.close()
  t.equal(player.ended, 1)
  t.equal(flows.find('a'), undefined)
  t.equal(channels.length, 2)
  t.ok(channels.every(({ path }) => path === undefined))
})
