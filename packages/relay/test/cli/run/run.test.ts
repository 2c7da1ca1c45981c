import t from 'tap'
import { createFakePanel, problem } from '../../fake-panel.js'
import { freePort } from '../../free-port.js'
import { until } from '../../support.js'
import { createHome } from '../command.js'
import { LIST, PUBLIC, scene, serve, state, TOKEN, terminate } from './run-scene.js'

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

t.test('--json: each line is an object', async (t) => {
  const { panel, home, allocations } = await scene(t)
  const command = home.start(['run', '--local-port', '25565', '--json', '--verbose'])
  const connection = await panel.nextConnection()
  await connection.welcome()
  await until(() => allocations.length === 1, 'the allocation')
  state(connection, 1, allocations)
  await command.says(/"event":"tunnel"/)
  await command.says(/"event":"allocation_made"/)
  await terminate(t, command)
  const events = command.json().map(({ event }) => event)
  for (const event of ['connected', 'allocation_made', 'tunnel', 'stopping']) t.ok(events.includes(event), event)
})

t.test('a panel that is away at the start is waited for, said once', async (t) => {
  const port = await freePort()
  const gone = await createFakePanel(port)
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
