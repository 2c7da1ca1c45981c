import { readdir } from 'node:fs/promises'
import t from 'tap'
import type { FakeConnection } from '../../fake-panel.js'
import { startEcho } from '../../support.js'
import { enrolledRelay, RELAY_ID, TOKEN } from './relay-world.js'

t.test('a refused token, a device of kind client and a foreign device end it with 3', async (t) => {
  const refusals: [(connection: FakeConnection) => Promise<void>, RegExp][] = [
    [async (connection) => connection.ws.close(4403), /revoked[\s\S]*enrol again/],
    [
      async (connection) => {
        await connection.next('hello')
        connection.send({ type: 'error', error: 'not_a_server', detail: 'relays need a device of kind server' })
        connection.ws.close(4400)
      },
      /error: the panel refuses this relay: relays need a device of kind server/,
    ],
    [
      async (connection) => {
        await connection.next('hello')
        connection.send({ type: 'welcome', protocol: 1, deviceId: 'device-2', name: 'x', heartbeatMs: 5_000 })
      },
      /error: the panel knows this device as device-2/,
    ],
  ]
  for (const [refuse, words] of refusals) {
    const { panel, home } = await enrolledRelay(t)
    const command = home.start(['relay', '--data-port', '0'])
    await refuse(await panel.nextConnection())
    t.equal(await command.exit, 3)
    t.match(`${command.stdout()}${command.stderr()}`, words)
    t.notMatch(command.stderr(), /very-secret/)
  }
})

t.test('a data port that is taken: exit 1 and words; no device token: exit 3', async (t) => {
  const { panel, home } = await enrolledRelay(t)
  const taken = await startEcho(t)
  const busy = home.start(['relay', '--data-port', String(taken.port)])
  t.equal(await busy.exit, 1)
  t.match(
    busy.stderr(),
    new RegExp(
      `^error: the data port 127\\.0\\.0\\.1:${taken.port} \\(TCP\\) cannot be bound: EADDRINUSE, another program`,
      'm',
    ),
  )
  await home.enrol({ panel: panel.url, token: 'not-a-token' })
  const foreign = home.start(['relay', '--data-port', '0'])
  t.equal(await foreign.exit, 3)
  t.match(foreign.stderr(), /--kind server/)
  const missing = home.start(['relay', '--config', `${home.config}.none`])
  t.equal(await missing.exit, 3)
  t.match(missing.stderr(), /not enrolled .*'sallyport enroll --panel URL --kind server'/)
})

t.test("an agent's token: exit 3, words, and no state is left", async (t) => {
  const { panel, home } = await enrolledRelay(t)
  const refused = home.start(['relay', '--data-port', '0'])
  const connection = await panel.nextConnection()
  await connection.next('hello')
  connection.send({ type: 'error', error: 'wrong_kind', detail: "this is an agent's token, for 'sallyport run'" })
  connection.ws.close(4400)
  t.equal(await refused.exit, 3)
  t.match(refused.stderr(), /error: the panel refuses this relay: this is an agent's token/)
  t.same(await readdir(home.path), ['agent.json'])

  await home.enrol({ panel: panel.url, token: TOKEN, deviceId: RELAY_ID, kind: 'client' })
  const known = home.start(['relay', '--data-port', '0'])
  t.equal(await known.exit, 3)
  t.match(known.stderr(), /agent\.json is an agent's \(for 'sallyport run'\), not a relay's: enrol one/)
  t.same(await readdir(home.path), ['agent.json'])
})
