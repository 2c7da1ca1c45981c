import { readFile, stat } from 'node:fs/promises'
import { isDeepStrictEqual } from 'node:util'
import t from 'tap'
import { createTicketIssuer } from '../../../dist/identity/tickets.js'
import { createAgent } from '../../../dist/index.js'
import { problem } from '../../fake-panel.js'
import { freePort } from '../../free-port.js'
import { dial, readAll, readBytes, startEcho, until } from '../../support.js'
import { createHome } from '../command.js'
import { enrolledRelay, greet, RELAY_ID, TOKEN } from './relay-world.js'

t.test('serves players, restarts from its state without a panel, ends with 0 on SIGTERM', async (t) => {
  const { panel, home } = await enrolledRelay(t)
  const dataPort = await freePort()
  const args = ['relay', '--data-port', String(dataPort), '--region', 'eu', '--port-range', '20000-20999']
  const first = home.start([...args, '--host-group', 'g1', '--capacity', '5', '--public-host', '127.0.0.1'])
  await first.says(/^relay ready: agents dial 127\.0\.0\.1:\d+, bound to 127\.0\.0\.1$/m)
  const connection = await panel.nextConnection()
  t.equal(connection.headers.authorization, `Bearer ${TOKEN}`)
  const { relay } = await greet(connection)
  const portRange = { from: 20_000, to: 20_999 }
  t.match(relay, {
    encryption: 'tls',
    fingerprint: /^[0-9a-f]{64}$/,
    dataPort,
    publicHost: '127.0.0.1',
    region: 'eu',
    hostGroup: 'g1',
    capacity: 5,
    portRange,
  })
  await first.says(new RegExp(`^certificate ${relay.fingerprint}$`, 'm'))
  await first.says(/^connected to .* as eu-relay$/m)

  const echo = await startEcho(t)
  const port = await freePort()
  const target = { host: '127.0.0.1', port: echo.port }
  const allocations = [{ id: 1, deviceId: 'agent-1', protocol: 'tcp', port, target, grant: 'g' }]
  connection.send({ type: 'relay_state', revision: 3, part: 0, parts: 1, allocations })
  t.match(await connection.next('relay_status'), { revision: 3, allocations: [{ id: 1, status: 'listening' }] })
  await first.says(/^serving 1 tunnel$/m)

  const agent = createAgent()
  t.teardown(() => agent.stop())
  const issuer = createTicketIssuer(RELAY_ID, Buffer.from(relay.ticketKey, 'base64url'))
  const { fingerprint } = relay
  const door = { id: RELAY_ID, host: '127.0.0.1', port: dataPort, fingerprint }
  agent.connect({ ...door, ticket: issuer.issue('agent-1', { grant: 'g' }) })
  await until(() => agent.links()[0]?.connected === true, 'the link')
  const player = await dial(t, port)
  player.end('hello')
  t.equal(String(await readAll(player)), 'hello')

  const stays = await dial(t, port)
  stays.write('last')
  t.equal(String(await readBytes(stays, 4)), 'last')
  first.kill('SIGTERM')
  t.equal(await first.exit, 0)
  for (let totals: unknown; !isDeepStrictEqual(totals, [[1, 9, 9, 2, 0]]); )
    totals = (await connection.next('relay_traffic'))['totals']
  const { ended } = await connection.next('relay_connections')
  t.match((ended as unknown[]).at(-1), { bytesIn: 4, bytesOut: 4, reason: 'cut' })
  t.match(await connection.next('relay_status'), { revision: 3, allocations: [], devices: 0, connections: 0 })
  t.match(first.stdout(), /^stopping$/m)
  const state = `${home.config}.state`
  t.equal((await stat(state)).mode & 0o777, 0o600)
  t.match(JSON.parse(await readFile(state, 'utf8')), { version: 1 })

  panel.refuseUpgrade = () => problem(503, 'unavailable')
  const second = home.start(args)
  await second.says(/cannot be reached/)
  await until(() => agent.links()[0]?.connected === true, 'the link to the relay that restarted')
  const again = await dial(t, port)
  again.end('still')
  t.equal(String(await readAll(again)), 'still')
  second.kill('SIGINT')
  t.equal(await second.exit, 0)
  for (const { stdout, stderr } of [first, second]) {
    t.notOk(`${stdout()}${stderr()}`.includes('very-secret'), 'the token is never shown')
    t.notOk(`${stdout()}${stderr()}`.includes(relay.ticketKey), 'nor the key')
    t.notMatch(stderr(), /error/)
  }
})

t.test('the token alone says who the relay is; --json', async (t) => {
  const { panel } = await enrolledRelay(t)
  const home = await createHome(t)
  const environment = { SALLYPORT_TOKEN: TOKEN, SALLYPORT_PANEL: panel.url }
  const command = home.start(['relay', '--data-port', '0', '--json'], environment)
  await command.says(/"event":"relay_ready"/)
  await greet(await panel.nextConnection())
  await command.says(/"event":"connected"/)
  command.kill('SIGTERM')
  t.equal(await command.exit, 0)
  t.match(command.json()[0], { event: 'relay_ready', relayId: RELAY_ID, bindHost: '127.0.0.1' })
})

t.test('it says what it serves when that changes', async (t) => {
  const { panel, home } = await enrolledRelay(t)
  const command = home.start(['relay', '--data-port', '0'])
  const connection = await panel.nextConnection()
  await greet(connection)
  const target = { host: '127.0.0.1', port: 9 }
  const one = { deviceId: 'agent-1', protocol: 'tcp', target }
  const ports = [await freePort(), await freePort(), await freePort()]
  connection.send({ type: 'relay_state', revision: 1, part: 0, parts: 1, allocations: [] })
  await command.says(/^serving 0 tunnels$/m)
  for (const [index, port] of ports.entries()) {
    const id = index + 1
    const change = { base: id, revision: id + 1, part: 0, parts: 1, upsert: [{ ...one, id, port }] }
    connection.send({ type: 'relay_change', ...change, remove: [] })
  }
  await command.says(/^serving 3 tunnels$/m)
  t.notMatch(command.stdout(), /serving [12] tunnel/, 'not each of several in a row')
  connection.ws.close(1001)
  const again = await panel.nextConnection()
  await greet(again)
  again.send({ type: 'relay_state', revision: 4, part: 0, parts: 1, allocations: [] })
  await command.says(/^serving 0 tunnels[\s\S]*^serving 0 tunnels$/m)
  command.kill('SIGTERM')
  t.equal(await command.exit, 0)
  t.match(
    command.stderr(),
    /told to come to 'localhost': only programs on this machine.* share its ports$|share its ports/m,
  )
})

t.test('a bind host for everybody without a public host is warned of', async (t) => {
  const { panel, home } = await enrolledRelay(t)
  const command = home.start(['relay', '--bind-host', '0.0.0.0', '--data-port', '0'])
  await command.says(/--public-host/)
  await greet(await panel.nextConnection())
  command.kill('SIGTERM')
  t.equal(await command.exit, 0)
})

t.test('without encryption it says so, to people and to the panel', async (t) => {
  const { panel, home } = await enrolledRelay(t)
  const command = home.start(['relay', '--encryption', 'off', '--data-port', '0'])
  const { relay } = await greet(await panel.nextConnection())
  t.match(relay, { encryption: 'off', fingerprint: undefined })
  await command.says(/encryption is off/)
  command.kill('SIGTERM')
  t.equal(await command.exit, 0)
})

t.test('--metrics-address serves its figures there until it ends, and must be free', async (t) => {
  const { panel, home } = await enrolledRelay(t)
  const address = `127.0.0.1:${await freePort()}`
  const args = ['relay', '--data-port', '0', '--metrics-address', address]
  const command = home.start(args)
  await command.says(new RegExp(`^metrics at http://${address}/metrics$`, 'm'))
  const metrics = await (await fetch(`http://${address}/metrics`)).text()
  t.match(metrics, new RegExp(`^sallyport_relay_up\\{relay="${RELAY_ID}"\\} 1$`, 'm'))
  t.equal((await fetch(`http://${address}/healthz`)).status, 200)
  await greet(await panel.nextConnection())

  const other = home.start([...args, '--config', home.config])
  t.equal(await other.exit, 1)
  t.match(other.stderr(), new RegExp(`--metrics-address ${address} cannot be bound: EADDRINUSE`))

  command.kill('SIGTERM')
  t.equal(await command.exit, 0)
  await t.rejects(fetch(`http://${address}/metrics`))
  for (const wrong of ['9464', ':9464', 'metrics.example:9464', '127.0.0.1:70000', '127.0.0.1:']) {
    const refused = home.start(['relay', '--metrics-address', wrong])
    t.equal(await refused.exit, 2, wrong)
  }
})
