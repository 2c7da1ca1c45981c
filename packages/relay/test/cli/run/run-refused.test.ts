import t from 'tap'
import { type FakePanel, problem } from '../../fake-panel.js'
import { until } from '../../support.js'
import { LIST, scene, TOKEN, terminate } from './run-scene.js'

for (const [name, end] of [
  ['4401', (panel: FakePanel) => panel.nextConnection().then(({ ws }) => ws.close(4401))],
  ['4403', (panel: FakePanel) => panel.nextConnection().then(({ ws }) => ws.close(4403))],
  [
    'HTTP 401',
    (panel: FakePanel) => {
      panel.refuseUpgrade = () => problem(401, 'unauthorized')
    },
  ],
] as const) {
  t.test(`a token refused by ${name}: exit 3 and what to do`, async (t) => {
    const { panel, home } = await scene(t)
    const ending = end(panel)
    const command = home.start(['run'])
    t.equal(await command.exit, 3)
    t.match(command.stderr(), /sallyport enroll/)
    t.notOk(`${command.stdout()}${command.stderr()}`.includes(TOKEN))
    await ending
  })
}

t.test('replaced is said, and the agent stays away', async (t) => {
  const { panel, home } = await scene(t)
  const command = home.start(['run'])
  const connection = await panel.nextConnection()
  await connection.welcome()
  connection.ws.close(4409)
  await command.says(/took over; staying away for 60 s/)
  await terminate(t, command)
})

t.test('tunnels switched off: waits, also with an allocation to make', async (t) => {
  const { panel, home, allocations } = await scene(t)
  let off = true
  const list = panel.routes.get(LIST)
  panel.refuseUpgrade = () => (off ? problem(403, 'feature_disabled', '', { 'retry-after': '1' }) : undefined)
  panel.routes.set(LIST, (request) => {
    if (off) return problem(403, 'feature_disabled', '', { 'retry-after': '1' })
    return list ? list(request) : {}
  })
  const command = home.start(['run', '--local-port', '25565'])
  await command.says(/switched off.*waiting/)
  off = false
  await (await panel.nextConnection()).welcome()
  await until(() => allocations.length === 1, 'the allocation')
  await terminate(t, command)
})

t.test("an agent's token in the hands of a relay's: exit 3, nothing is tried again", async (t) => {
  const { panel, home } = await scene(t)
  const command = home.start(['run'])
  const connection = await panel.nextConnection()
  await connection.next('hello')
  connection.send({ type: 'error', error: 'wrong_kind', detail: 'this device is a relay' })
  connection.ws.close(4400)
  t.equal(await command.exit, 3)
  t.match(command.stderr(), /enrolled as a relay.*'sallyport relay'/)
  t.notMatch(command.stdout(), /trying on|reconnecting/)
})

t.test("a relay's configuration: exit 3 before anything is tried", async (t) => {
  const { panel, home } = await scene(t)
  await home.enrol({ panel: panel.url, token: TOKEN, kind: 'server' })
  const command = home.start(['run', '--local-port', '1'])
  t.equal(await command.exit, 3)
  t.match(command.stderr(), /enrolled as a relay.*'sallyport relay'/)
  t.equal(panel.requests.length, 0)
})
