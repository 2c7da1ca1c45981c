import t from 'tap'
import { problem } from '../../fake-panel.js'
import { until } from '../../support.js'
import { LIST, MAKE, PUBLIC, scene, state, terminate } from './run-scene.js'

t.test('an equal allocation is not made again, an unequal one does not count', async (t) => {
  const { panel, home, allocations } = await scene(t)
  allocations.push({ ...PUBLIC, id: 1, localHost: '127.0.0.1', localPort: 25_565, protocol: 'tcp' })
  const again = home.start(['run', '--local-port', '25565'])
  const first = await panel.nextConnection()
  await first.welcome()
  await until(() => panel.requestsTo(LIST).length === 1, 'a look at the list')
  state(first, 1, allocations)
  await again.says(/^tcp play/m)
  await terminate(t, again)
  t.equal(panel.requestsTo(MAKE).length, 0)

  const other = home.start(['run', '--local-port', '25566'])
  await other.says(/made the tunnel/)
  await terminate(t, other)
  t.match(panel.requestsTo(MAKE)[0]?.body, { localPort: 25_566 })
})

t.test('--protocol both: two in one request; with one there, the other on its number', async (t) => {
  const { panel, home, allocations } = await scene(t)
  const both = ['run', '--local-port', '7777', '--protocol', 'both']
  const first = home.start(both)
  await first.says(/made the tunnel udp/)
  await terminate(t, first)
  t.match(panel.requestsTo(MAKE)[0]?.body, { protocol: 'both' })
  allocations.pop()
  const second = home.start(both)
  await second.says(/made the tunnel udp/)
  await terminate(t, second)
  t.match(panel.requestsTo(MAKE)[1]?.body, { protocol: 'udp', port: 20_001 })
  const third = home.start(both)
  await until(() => panel.requestsTo(LIST).length === 3, 'a look at the list')
  await panel.nextConnection()
  await terminate(t, third)
  t.equal(panel.requestsTo(MAKE).length, 2)
})

t.test('--port and --region are asked for; another public port is another tunnel', async (t) => {
  const { panel, home, allocations } = await scene(t)
  allocations.push({ ...PUBLIC, id: 1, localHost: '127.0.0.1', localPort: 25_565, protocol: 'tcp' })
  const args = ['run', '--local-port', '25565', '--port', '30000', '--region', 'eu']
  const first = home.start(args)
  await first.says(/made the tunnel tcp play\.example\.com:30000/)
  await terminate(t, first)
  t.match(panel.requestsTo(MAKE)[0]?.body, { localPort: 25_565, port: 30_000, region: 'eu' })
  const second = home.start(args)
  await until(() => panel.requestsTo(LIST).length === 2, 'a look at the list')
  await panel.nextConnection()
  await terminate(t, second)
  t.equal(panel.requestsTo(MAKE).length, 1)
})

t.test('a tunnel that is removed while this side asks for it: said that it comes again, and left alone', async (t) => {
  const { panel, home, allocations } = await scene(t)
  const command = home.start(['run', '--local-port', '25565'])
  const connection = await panel.nextConnection()
  await connection.welcome()
  await until(() => allocations.length === 1, 'the allocation')
  state(connection, 1, [...allocations, { ...PUBLIC, id: 2, protocol: 'udp', localHost: '127.0.0.1', localPort: 2 }])
  await command.says(/^udp play/m)
  state(connection, 2, [])
  await command.says(
    /^removed: tcp play.*25565 \(the configuration or --local-port still asks for it: .*next start\)$/m,
  )
  await command.says(/^removed: udp play.*:2$/m)
  await terminate(t, command)
  t.equal(panel.requestsTo(MAKE).length, 1)
})

t.test("a relay that the panel does not see is said only while the agent's own link is down", async (t) => {
  const { panel, home } = await scene(t)
  const tunnel = { ...PUBLIC, id: 1, protocol: 'tcp', localHost: '127.0.0.1', localPort: 1, status: 'offline' }
  const command = home.start(['run'])
  const connection = await panel.nextConnection()
  await connection.welcome()
  state(connection, 1, [tunnel])
  await command.says(/^tcp play.*:1 \(its relay is away\)$/m)
  state(connection, 2, [{ ...tunnel, status: 'open' }])
  await command.says(/^tcp play.*:1$/m)
  await terminate(t, command)
})

t.test('a quota that is used up ends it with 1, no free port is waited out', async (t) => {
  const { panel, home } = await scene(t)
  const make = panel.routes.get(MAKE)
  panel.routes.set(MAKE, () => problem(403, 'quota_exceeded', '10 of 10'))
  const quota = home.start(['run', '--local-port', '1'])
  t.equal(await quota.exit, 1)
  t.match(quota.stderr(), /quota/)
  let refusals = 0
  panel.routes.set(MAKE, (request) => {
    refusals += 1
    if (refusals <= 2 || !make) return problem(503, 'no_ports_available', 'No public port is free')
    return make(request)
  })
  const ports = home.start(['run', '--local-port', '2'])
  await ports.says(/made the tunnel/)
  t.equal(ports.stderr().match(/No public port/g)?.length, 1)
  await terminate(t, ports)
})
