import t from 'tap'
import { html, problem } from '../../fake-panel.js'
import { createHome } from '../command.js'
import { enrolled, LIST, MAKE, ONE, TOKEN } from './tunnels-panel.js'

t.test('allocations: a table, or JSON', async (t) => {
  const { panel, home } = await enrolled(t)
  panel.routes.set(LIST, () => ({
    body: { allocations: [ONE, { ...ONE, id: 3, relayOnline: false, relayId: null, relayName: null }] },
  }))
  const table = home.start(['allocations', '--verbose'])
  t.equal(await table.exit, 0)
  t.match(table.stdout(), /^ID .*\n12 {2}tcp .*play\.example\.com:20001 {2}127\.0\.0\.1:25565 {2}open.*2\.0 KiB/)
  t.match(table.stdout(), /\n 3 .* {2}- \(offline\) /)
  t.notOk(`${table.stdout()}${table.stderr()}`.includes(TOKEN))
  t.equal(panel.requests[0]?.headers.authorization, `Bearer ${TOKEN}`)
  const json = home.start(['allocations', '--json'])
  t.equal(await json.exit, 0)
  t.match(json.json(), [
    { allocations: [{ id: 12, host: 'play.example.com', traffic: { bytesIn: 2_048 } }, { id: 3 }] },
  ])
})

t.test('no allocations are said, and are an empty list in JSON', async (t) => {
  const { panel, home } = await enrolled(t)
  panel.routes.set(LIST, () => ({ body: { allocations: [] } }))
  const table = home.start(['allocations'])
  t.equal(await table.exit, 0)
  t.match(table.stdout(), /no tunnels/)
  const json = home.start(['allocations', '--json'])
  t.equal(await json.exit, 0)
  t.strictSame(json.json(), [{ allocations: [] }])
})

t.test('the environment goes before the file, and makes it needless', async (t) => {
  const { panel, home } = await enrolled(t)
  panel.routes.set(LIST, () => ({ body: { allocations: [] } }))
  await home.enrol({ panel: 'http://127.0.0.1:9', token: 'of-the-file-0123' })
  const env = { SALLYPORT_PANEL: panel.url, SALLYPORT_TOKEN: 'of-the-environment' }
  t.equal(await home.start(['allocations'], env).exit, 0)
  t.equal(panel.requests[0]?.headers.authorization, 'Bearer of-the-environment')
  t.equal(await home.start(['allocations', '--config', `${home.path}/none`], env).exit, 0)
})

t.test('open: makes it and says the public address', async (t) => {
  const { panel, home } = await enrolled(t)
  panel.routes.set(MAKE, () => ({ status: 201, body: { allocation: ONE } }))
  const one = home.start(['open', '--local-port', '25565'])
  t.equal(await one.exit, 0)
  t.equal(one.stdout(), 'tcp play.example.com:20001 -> 127.0.0.1:25565\n')
  t.strictSame(panel.requests[0]?.body, { localHost: '127.0.0.1', localPort: 25_565, protocol: 'tcp' })
  panel.routes.set(MAKE, () => ({ status: 201, body: { allocations: [ONE, { ...ONE, id: 13, protocol: 'udp' }] } }))
  const both = home.start(['open', '--local-port', '25565', '--protocol', 'both', '--local-host', '[::1]', '--json'])
  t.equal(await both.exit, 0)
  t.match(both.json(), [{ allocations: [{ protocol: 'tcp' }, { protocol: 'udp' }] }])
  t.match(panel.requests[1]?.body, { localHost: '::1', protocol: 'both' })
})

const refusals = [
  ['a quota that is used up', problem(403, 'quota_exceeded', '10 of 10'), 1, /quota.*10 of 10/],
  ['no free port', problem(503, 'no_ports_available', 'No public port is free'), 1, /No public port/],
  ['a token that is refused', problem(401, 'unauthorized'), 3, /enrol again/],
  ['tunnels switched off', problem(403, 'feature_disabled'), 1, /switched off/],
  ['a page of something else', html(200), 1, /no Sallyport panel/],
  ['a proxy whose panel is down', html(503), 69, /out of reach/],
  ['an answer of nonsense', { body: { allocations: 'many', allocation: null } }, 1, /not understood/],
] as const
for (const [name, answer, code, words] of refusals) {
  t.test(`${name}: exit ${code}`, async (t) => {
    const { panel, home } = await enrolled(t)
    panel.routes.set(MAKE, () => answer)
    panel.routes.set(LIST, () => answer)
    const open = home.start(['open', '--local-port', '1', '--verbose'])
    const list = home.start(['allocations', '--json'])
    t.equal(await open.exit, code)
    t.match(open.stderr(), words)
    t.notOk(open.stderr().includes(TOKEN))
    t.equal(await list.exit, code)
    t.equal(list.stdout(), '')
  })
}

t.test('a relay has no tunnels of its own: exit 3, and the panel is not asked', async (t) => {
  const { panel, home } = await enrolled(t)
  await home.enrol({ panel: panel.url, token: TOKEN, kind: 'server' })
  for (const args of [['allocations'], ['open', '--local-port', '1']]) {
    const command = home.start(args)
    t.equal(await command.exit, 3)
    t.match(command.stderr(), /enrolled as a relay.*sallyport enroll/)
  }
  t.equal(panel.requests.length, 0)
})

t.test('open: a wished port and region are asked for, and that they cannot be had is said', async (t) => {
  const { panel, home } = await enrolled(t)
  panel.routes.set(MAKE, () => problem(409, 'port_taken', 'Port 25565 is taken'))
  const args = ['open', '--local-port', '1', '--port', '25565', '--region', 'eu']
  const command = home.start(args)
  t.equal(await command.exit, 1)
  t.match(command.stderr(), /Port 25565 is taken: choose another, or none/)
  t.match(panel.requests[0]?.body, { localPort: 1, port: 25_565, region: 'eu' })
})

t.test('a status comes with its reason; relays go by name, or by the start of their id', async (t) => {
  const { panel, home } = await enrolled(t)
  const relayId = '9c1d2e3f-0000-4000-8000-000000000000'
  panel.routes.set(LIST, () => ({
    body: {
      allocations: [
        { ...ONE, relayId, relayName: relayId },
        { ...ONE, id: 13, targetError: 'refused' },
        { ...ONE, id: 14, relayName: 'Oslo\u202e日本' },
        { ...ONE, id: 15, relayId, relayName: null },
        { ...ONE, id: 16, status: 'failed', statusError: 'EADDRINUSE', targetError: 'refused' },
      ],
    },
  }))
  const table = home.start(['allocations'])
  t.equal(await table.exit, 0)
  const [, first, second, third, fourth, fifth] = table.stdout().split('\n')
  t.match(first, /open +9c1d2e3f {2}/)
  t.match(second, /open, target refused +Frankfurt /)
  t.match(third, / Oslo 日本 {2}/)
  t.match(fourth, /open +9c1d2e3f {2}/)
  t.match(fifth, /failed, EADDRINUSE +Frankfurt /)
  t.equal(panel.requests.length, 1)
})

t.test('a panel that is away: exit 69', async (t) => {
  const { panel, home } = await enrolled(t)
  await panel.close()
  const open = home.start(['open', '--local-port', '1'])
  const list = home.start(['allocations'])
  t.equal(await open.exit, 69)
  t.equal(await list.exit, 69)
})

t.test('a configuration that others can read is not used', async (t) => {
  const { panel, home } = await enrolled(t)
  const open = await createHome(t)
  await open.enrol({ panel: panel.url, token: TOKEN }, 0o644)
  const command = open.start(['allocations'])
  t.equal(await command.exit, 1)
  t.match(command.stderr(), /chmod 600/)
  t.equal(panel.requests.length, 0)
  t.ok(home)
})
