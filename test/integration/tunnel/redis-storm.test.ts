// Redis goes away and comes back while everything changes: what can be done alone goes on, the rest says so, and afterwards
// panels, relays and agents agree with the database.
import t, { type Test } from 'tap'
import { until } from '../../support/deadline.js'
import { inParallel, tally } from '../../support/parallel.js'
import type { Reply } from '../../support/raw-client.js'
import { withoutPostgres, withoutRedis } from '../../support/real-servers.js'
import type { SignInPanel } from '../../support/sign-in-panel.js'
import { type Channel, openChannel } from '../../support/tunnel/channel.js'
import {
  allAllocations,
  newAllocation,
  newDevice,
  setQuotas,
  type TestAllocation,
  type TestDevice,
} from '../../support/tunnel/devices.js'
import { type Fleet, startFleet } from '../../support/tunnel/fleet.js'
import { listens } from '../../support/tunnel/players.js'

const deviceCount = 9
const operations = 450
const workers = 6

/** Each panel has a relay on an address of its own, by which an allocation tells whose relay serves it. */
const relayAddress = (index: number) => `127.0.0.${index + 11}`

interface Member {
  readonly device: TestDevice
  readonly channel: Channel
  readonly panelIndex: number
}

t.test('a storm of changes', { skip: withoutPostgres || withoutRedis }, async (t) => {
  const fleet = await startFleet(t, {
    embedded: true,
    ports: 600,
    env: (index) => ({ RELAY_PUBLIC_HOST: relayAddress(index), RELAY_BIND_HOST: relayAddress(index) }),
  })
  await setQuotas(fleet.panel(0), { allocationsPerUser: 10_000 })
  const members = await inParallel(deviceCount, 3, async (index): Promise<Member> => {
    const panelIndex = index % fleet.panels.length
    const device = await newDevice(fleet.panel(0))
    return { device, panelIndex, channel: await openChannel(t, fleet.panel(panelIndex).url, device.token) }
  })

  await t.test('alone goes what needs nobody else; the rest is 503 before anything is done', async (t) => {
    const { own, device } = await ownAllocation(fleet, members)
    await fleet.redis.stop()
    try {
      const path = `/api/tunnel/allocations/${own.id}`
      const [here, elsewhere] = [fleet.panel(0), fleet.panel(1)]
      const asAdmin = (panel: SignInPanel) => ({ bearer: panel.admin.token, ip: panel.newIp() })
      for (const verb of ['close', 'open']) {
        const away = await elsewhere.send('POST', `${path}/${verb}`, asAdmin(elsewhere))
        isAway(t, away, `${verb} at another panel`)
        t.equal((await here.send('POST', `${path}/${verb}`, asAdmin(here))).status, 200, `${verb} at its own`)
      }
      const patch = { body: { localPort: 99 } }
      isAway(t, await elsewhere.send('PATCH', path, { ...asAdmin(elsewhere), ...patch }), 'change')
      isAway(t, await elsewhere.send('DELETE', path, asAdmin(elsewhere)), 'delete')
      const regenerate = `/api/tunnel/devices/${device.id}/regenerate-token`
      isAway(t, await elsewhere.send('POST', regenerate, asAdmin(elsewhere)), 'regenerate')
      t.equal((await here.send('PATCH', path, { ...asAdmin(here), ...patch })).status, 200)
      for (const panel of fleet.panels)
        t.equal((await panel.send('GET', '/api/tunnel/devices', asAdmin(panel))).status, 200)
      const [kept] = (await allAllocations(elsewhere)).filter(({ id }) => id === own.id)
      t.match(kept, { localPort: 99, status: 'open' }, 'nothing of what was refused was done')
    } finally {
      await fleet.redis.start()
    }
    await until('the other panel may again', async () => {
      const panel = fleet.panel(1)
      const reply = await panel.send('POST', `/api/tunnel/allocations/${own.id}/close`, { bearer: panel.admin.token })
      return reply.status === 200
    })
    t.notOk(await listens(own.port, relayAddress(0)))
  })

  await t.test('Redis restarted in the middle', async (t) => {
    let done = 0
    const outage = (async () => {
      await until('a third of the storm', () => done > operations / 3, 60_000)
      await fleet.redis.stop()
      await until('two thirds of the storm', () => done > (2 * operations) / 3, 60_000)
      await fleet.redis.start()
    })()
    const replies = await inParallel(operations, workers, async (index) => {
      const reply = await change(fleet, members, index)
      done += 1
      return reply
    })
    await outage
    const counts = tally(replies.map(({ status }) => status))
    t.comment(JSON.stringify(counts))
    t.same(
      replies.filter(({ status }) => ![200, 201, 404, 503].includes(status)).map(({ text }) => text),
      [],
      'nothing fails in another way',
    )
    const unhelpful = replies.filter(({ status, headers }) => status === 503 && !headers['retry-after'])
    t.same(unhelpful, [], 'whoever is refused is told when to come again')
    // The first third, but for what another change took away; of the last some come before all hear of Redis again.
    t.ok((counts[200] ?? 0) + (counts[201] ?? 0) > operations / 4)

    await until('one change of each device', async () => {
      // A change that goes through says that panels hear one another again.
      for (const [index, { device }] of members.entries()) await newAllocation(fleet.panel((index + 1) % 3), device)
      return true
    })
    await until('everybody agrees', () => agreed(t, fleet, members), 30_000)
    t.pass('panels, relays and agents agree with the database')
  })
})

function isAway(t: Test, { status, headers, body }: Reply, name: string): void {
  t.equal(status, 503, name)
  t.match(headers['retry-after'], /^[1-9]\d*$/, `${name}: Retry-After`)
  t.match(body, { status: 503, error: String }, `${name}: problem document`)
}

/** An allocation whose relay, and whose device's channel, are the first panel's. */
async function ownAllocation(
  fleet: Fleet,
  members: readonly Member[],
): Promise<{ own: TestAllocation; device: TestDevice }> {
  const [member] = members
  if (!member) throw new Error('nobody is there')
  return until('an allocation on the first relay', async () => {
    const made = await newAllocation(fleet.panel(0), member.device)
    return (made as TestAllocation & { host: string }).host === relayAddress(0) && { own: made, device: member.device }
  })
}

/** One change, of the sort that its number says, at a random panel. */
async function change(fleet: Fleet, members: readonly Member[], index: number): Promise<Reply> {
  const panel = fleet.panel(Math.floor(Math.random() * fleet.panels.length))
  const { device } = members[Math.floor(Math.random() * members.length)] as Member
  const carried = { bearer: device.token, ip: panel.newIp() }
  const listed = await panel.send('GET', '/api/tunnel/allocations', carried)
  const mine: TestAllocation[] = listed.body?.allocations ?? []
  const one = mine[Math.floor(Math.random() * mine.length)]
  const path = `/api/tunnel/allocations/${one?.id}`
  if (!one || index % 5 < 2) {
    return panel.send('POST', '/api/tunnel/allocations', { ...carried, body: { localPort: 7, protocol: 'tcp' } })
  }
  if (index % 5 === 2) return panel.send('PATCH', path, { ...carried, body: { localPort: 1_000 + index } })
  if (index % 5 === 3) return panel.send('DELETE', path, carried)
  return panel.send('POST', `${path}/${one.status === 'open' ? 'close' : 'open'}`, carried)
}

/** Whether each panel says the same, each port is open or closed as they say, and each agent has just that. */
async function agreed(t: Test, fleet: Fleet, members: readonly Member[]): Promise<boolean> {
  const views = await Promise.all(fleet.panels.map(allAllocations))
  const [view = []] = views as (TestAllocation & { host: string })[][]
  const key = ({ id, status, port, localPort }: Pick<TestAllocation, 'id' | 'status' | 'port' | 'localPort'>) =>
    `${id} ${status} ${port} ${localPort}`
  const sorted = (list: readonly TestAllocation[]) => list.map(key).sort().join()
  if (views.some((other) => sorted(other) !== sorted(view))) throw new Error('the panels differ')
  for (const { device, channel } of members) {
    const wanted = view.filter(({ deviceId }) => deviceId === device.id)
    const has = channel.state()?.allocations ?? []
    if (has.map(key).sort().join() !== sorted(wanted)) throw new Error(`the agent of ${device.id} has another state`)
  }
  const open = new Set(view.filter(({ status }) => status === 'open').map(({ host, port }) => `${host} ${port}`))
  const { from, to } = fleet.ports
  for (const [index] of fleet.panels.entries()) {
    const found = await inParallel(to - from + 1, 20, (at) => listens(from + at, relayAddress(index)))
    for (const [at, isOpen] of found.entries()) {
      const wanted = open.has(`${relayAddress(index)} ${from + at}`)
      if (isOpen !== wanted) throw new Error(`port ${from + at} of relay ${index} is ${isOpen ? 'open' : 'closed'}`)
    }
  }
  t.comment(`${view.length} allocations, ${open.size} of them open`)
  return true
}
