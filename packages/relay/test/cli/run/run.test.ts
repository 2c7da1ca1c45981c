import t, { type Test } from 'tap'
import { createFakePanel, type FakeConnection, type FakePanel, problem, until } from '../../fake-panel.js'
import { type Command, createHome, type Home } from '../command.js'

const TOKEN = 'header.payload-very-secret.signature'
const LIST = 'GET /api/tunnel/allocations'
const MAKE = 'POST /api/tunnel/allocations'
const PUBLIC = { port: 20_001, host: 'play.example.com', status: 'open', relayId: 'eu1', deviceId: 'device-1' }

interface Scene {
  panel: FakePanel
  home: Home
  /** What the panel holds. */
  allocations: Record<string, unknown>[]
}

async function scene(t: Test, port = 0): Promise<Scene> {
  const panel = await createFakePanel(port)
  t.teardown(() => panel.close())
  const home = await createHome(t)
  await home.enrol({ panel: panel.url, token: TOKEN })
  const allocations: Record<string, unknown>[] = []
  serve(panel, allocations)
  return { panel, home, allocations }
}

function serve(panel: FakePanel, allocations: Record<string, unknown>[]): void {
  panel.routes.set(LIST, () => ({ body: { allocations } }))
  panel.routes.set(MAKE, ({ body }) => {
    const wish = body as { protocol: string }
    const made = (wish.protocol === 'both' ? ['tcp', 'udp'] : [wish.protocol]).map((protocol) => {
      const allocation = { ...PUBLIC, ...wish, id: allocations.length + 1, protocol }
      allocations.push(allocation)
      return allocation
    })
    return { status: 201, body: made.length === 1 ? { allocation: made[0] } : { allocations: made } }
  })
}

function state(connection: FakeConnection, revision: number, allocations: Record<string, unknown>[]): void {
  connection.send({ type: 'state', revision, allocations, relays: [] })
}

async function terminate(t: Test, command: Command, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  command.kill(signal)
  t.equal(await command.exit, 0)
  t.notMatch(command.stderr(), /internal error/)
  t.notOk(`${command.stdout()}${command.stderr()}`.includes(TOKEN), 'the token is never shown')
}

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  t.test(`run: connects, makes the allocation, says the public address, ends with 0 on ${signal}`, async (t) => {
    const { panel, home, allocations } = await scene(t)
    const command = home.start(['run', '--local-port', '25565', '--verbose'])
    const connection = await panel.nextConnection()
    t.equal(connection.headers.authorization, `Bearer ${TOKEN}`)
    await connection.welcome()
    await until(() => allocations.length === 1, 'the allocation')
    state(connection, 1, allocations)
    await command.says(/^connected to .* as box$/m)
    await command.says(/^(made the tunnel )?tcp play\.example\.com:20001 -> 127\.0\.0\.1:25565$/m)
    await connection.next('status')
    await terminate(t, command, signal)
    await connection.closed
    t.equal(command.stdout().match(/play\.example\.com:20001/g)?.length, 1, 'a tunnel that was just made is said once')
  })
}

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

t.test('--json: each line is an object', async (t) => {
  const { panel, home, allocations } = await scene(t)
  const command = home.start(['run', '--local-port', '25565', '--json', '--verbose'])
  const connection = await panel.nextConnection()
  await connection.welcome()
  await until(() => allocations.length === 1, 'the allocation')
  state(connection, 1, allocations)
  await command.says(/"event":"tunnel"/)
  await terminate(t, command)
  const events = command.json().map(({ event }) => event)
  for (const event of ['connected', 'allocation_made', 'tunnel', 'stopping']) t.ok(events.includes(event), event)
})

t.test('a panel that is away at the start is waited for, said once', async (t) => {
  const gone = await createFakePanel()
  const port = Number(new URL(gone.url).port)
  await gone.close()
  const home = await createHome(t)
  await home.enrol({ panel: gone.url, token: TOKEN })
  const command = home.start(['run', '--local-port', '25565'])
  await command.says(/cannot be reached/)
  const panel = await createFakePanel(port)
  t.teardown(() => panel.close())
  const allocations: Record<string, unknown>[] = []
  serve(panel, allocations)
  await (await panel.nextConnection()).welcome()
  await command.says(/connected to/)
  await until(() => allocations.length === 1, 'the allocation')
  await terminate(t, command)
  t.equal(command.stdout().match(/cannot be reached/g)?.length, 1)
})

t.test('a lost connection is said and made again; changes and removals of tunnels are said', async (t) => {
  const { panel, home } = await scene(t)
  const tunnel = { ...PUBLIC, id: 1, protocol: 'udp', localHost: '127.0.0.1', localPort: 19_132 }
  const command = home.start(['run'])
  const first = await panel.nextConnection()
  await first.welcome()
  state(first, 1, [tunnel])
  await command.says(/^udp play.*19132$/m)
  first.ws.close(1001)
  await command.says(/is lost.*reconnecting/)
  const second = await panel.nextConnection()
  await second.welcome()
  state(second, 1, [tunnel])
  state(second, 2, [{ ...tunnel, status: 'closed' }])
  await command.says(/19132 \(closed\)$/m)
  state(second, 3, [])
  await command.says(/^removed: udp/m)
  await terminate(t, command)
  t.equal(command.stdout().match(/^udp play.*19132$/gm)?.length, 1, 'an unchanged tunnel is said once')
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

t.test('garbage from the panel does not end the agent', async (t) => {
  const { panel, home } = await scene(t)
  const command = home.start(['run'])
  for (const garbage of ['nonsense', '{"type":"state"}', 'x'.repeat(2 * 1024 * 1024)]) {
    const connection = await panel.nextConnection()
    await connection.welcome()
    connection.ws.send(garbage)
    await connection.closed
  }
  const last = await panel.nextConnection()
  await last.welcome()
  state(last, 1, [])
  await last.next('status')
  await terminate(t, command)
})

t.test('a panel that steers terminals in its texts does not reach the terminal', async (t) => {
  const { panel, home } = await scene(t)
  panel.routes.set(LIST, () => problem(400, 'bad_request', '\u001b]0;owned\u0007 and \u202ereversed'))
  const command = home.start(['run', '--local-port', '1'])
  t.equal(await command.exit, 1)
  t.notOk(/[\p{Cc}\u202e]/u.test(command.stderr().replaceAll('\n', '')))
})

t.test('SIGTERM while the panel does not answer: still 0', async (t) => {
  const { panel, home } = await scene(t)
  const command = home.start(['run', '--local-port', '1'])
  const connection = await panel.nextConnection()
  connection.ws.pause()
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

t.test('a stray percent sign in the password of a proxy is no obstacle', async (t) => {
  const { home } = await scene(t)
  const command = home.start(['run', '--verbose'], { HTTP_PROXY: 'http://user:50%off-secret@127.0.0.1:1' })
  await command.says(/cannot be reached \(the proxy 127\.0\.0\.1:1/)
  await terminate(t, command)
  t.notMatch(`${command.stdout()}${command.stderr()}`, /off-secret/)
})

t.test('a machine that slept: what waits is tried at once', async (t) => {
  const { panel, home } = await scene(t)
  const command = home.start(['run', '--verbose'])
  panel.refuseUpgrade = () => problem(403, 'feature_disabled', '', { 'retry-after': '60' })
  await command.says(/switched off.*waiting/)
  panel.refuseUpgrade = () => undefined
  command.kill('SIGSTOP')
  const stoppedAt = Date.now()
  await until(() => Date.now() - stoppedAt > 6_500, 'a long sleep')
  command.kill('SIGCONT')
  await command.says(/debug: the clock jumped/)
  await (await panel.nextConnection()).welcome()
  await terminate(t, command)
})
