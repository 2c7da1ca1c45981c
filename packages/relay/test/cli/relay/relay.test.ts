import { createPrivateKey } from 'node:crypto'
import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { isDeepStrictEqual } from 'node:util'
import t, { type Test } from 'tap'
import { troubleWith } from '../../../dist/cli/relay/certificate-check.js'
import { followCertificate, readCertificate } from '../../../dist/cli/relay/certificate-files.js'
import type { Output } from '../../../dist/cli/terminal/output.js'
import { checkCertificate } from '../../../dist/identity/relay-identity.js'
import { createSelfSigned } from '../../../dist/identity/self-signed.js'
import { createTicketIssuer } from '../../../dist/identity/tickets.js'
import { type CertificatePair, createAgent } from '../../../dist/index.js'
import { createFakePanel, type FakeConnection, type FakePanel, problem, until } from '../../fake-panel.js'
import { freePort } from '../../free-port.js'
import { dial, readAll, readBytes, startEcho } from '../../support.js'
import { createHome, type Home } from '../command.js'

const RELAY_ID = 'device-1'
const TOKEN = ['e30', Buffer.from(JSON.stringify({ sub: RELAY_ID })).toString('base64url'), 'very-secret'].join('.')

async function scene(t: Test): Promise<{ panel: FakePanel; home: Home }> {
  const panel = await createFakePanel()
  t.teardown(() => panel.close())
  const home = await createHome(t)
  await home.enrol({ panel: panel.url, token: TOKEN, deviceId: RELAY_ID })
  return { panel, home }
}

const DAY_MS = 86_400_000

function encrypted(key: string): string {
  const options = { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'secret' } as const
  return String(createPrivateKey(key).export(options))
}

interface SaidHello {
  relay: { ticketKey: string; dataPort: number; fingerprint: string; publicHost: string; revision: number } & Record<
    string,
    unknown
  >
}

async function welcome(connection: FakeConnection): Promise<SaidHello> {
  const hello = await connection.next('hello')
  connection.send({ type: 'welcome', protocol: 1, deviceId: RELAY_ID, name: 'eu-relay', heartbeatMs: 5_000 })
  return hello as unknown as SaidHello
}

t.test('serves players, restarts from its state without a panel, ends with 0 on SIGTERM', async (t) => {
  const { panel, home } = await scene(t)
  const dataPort = await freePort()
  const args = ['relay', '--data-port', String(dataPort), '--region', 'eu', '--port-range', '20000-20999']
  const first = home.start([...args, '--host-group', 'g1', '--capacity', '5', '--public-host', '127.0.0.1'])
  await first.says(/^relay ready: agents dial 127\.0\.0\.1:\d+, bound to 127\.0\.0\.1$/m)
  const connection = await panel.nextConnection()
  t.equal(connection.headers.authorization, `Bearer ${TOKEN}`)
  const { relay } = await welcome(connection)
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
  const { panel } = await scene(t)
  const home = await createHome(t)
  const environment = { SALLYPORT_TOKEN: TOKEN, SALLYPORT_PANEL: panel.url }
  const command = home.start(['relay', '--data-port', '0', '--json'], environment)
  await command.says(/"event":"relay_ready"/)
  await welcome(await panel.nextConnection())
  await command.says(/"event":"connected"/)
  command.kill('SIGTERM')
  t.equal(await command.exit, 0)
  t.match(command.json()[0], { event: 'relay_ready', relayId: RELAY_ID, bindHost: '127.0.0.1' })
})

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
    const { panel, home } = await scene(t)
    const command = home.start(['relay', '--data-port', '0'])
    await refuse(await panel.nextConnection())
    t.equal(await command.exit, 3)
    t.match(`${command.stdout()}${command.stderr()}`, words)
    t.notMatch(command.stderr(), /very-secret/)
  }
})

t.test('a data port that is taken: exit 1 and words; no device token: exit 3', async (t) => {
  const { panel, home } = await scene(t)
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
  const { panel, home } = await scene(t)
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

t.test('--state: where it keeps what it serves; what is there stays when the panel refuses', async (t) => {
  const { panel, home } = await scene(t)
  const state = `${home.path}/kept/here.json`
  for (const expected of [0, 7]) {
    const command = home.start(['relay', '--data-port', '0', '--state', state])
    const connection = await panel.nextConnection()
    t.equal((await welcome(connection)).relay.revision, expected)
    connection.send({ type: 'relay_state', revision: 7, part: 0, parts: 1, allocations: [] })
    await connection.next('relay_status')
    command.kill('SIGTERM')
    t.equal(await command.exit, 0)
  }
  const refused = home.start(['relay', '--data-port', '0', '--state', state])
  ;(await panel.nextConnection()).ws.close(4401)
  t.equal(await refused.exit, 3)
  t.match(JSON.parse(await readFile(state, 'utf8')), { version: 1 })
  await writeFile(`${home.path}/file`, '')
  await writeFile(state, '{"version":')
  const broken = home.start(['relay', '--data-port', '0', '--state', state])
  await broken.says(/^relay ready/m)
  t.match(broken.stderr(), /^error: starting without the stored state, .*kept as .*here\.json\.corrupt-/m)
  broken.kill('SIGTERM')
  t.equal(await broken.exit, 0)

  const nowhere = home.start(['relay', '--data-port', '0', '--state', `${home.path}/file/state`])
  t.equal(await nowhere.exit, 1)
  t.match(nowhere.stderr(), /error: the state cannot be kept in .*file\/state: E[A-Z]+ \(see --state\)/)
  const folder = home.start(['relay', '--data-port', '0', '--state', home.path])
  t.equal(await folder.exit, 1)
  t.match(folder.stderr(), /error: the state .* cannot be read: EISDIR/)
})

t.test('it says what it serves when that changes', async (t) => {
  const { panel, home } = await scene(t)
  const command = home.start(['relay', '--data-port', '0'])
  const connection = await panel.nextConnection()
  await welcome(connection)
  const target = { host: '127.0.0.1', port: 9 }
  const one = { deviceId: 'agent-1', protocol: 'tcp', port: 0, target }
  connection.send({ type: 'relay_state', revision: 1, part: 0, parts: 1, allocations: [] })
  await command.says(/^serving 0 tunnels$/m)
  for (const id of [1, 2, 3]) {
    const change = { base: id, revision: id + 1, part: 0, parts: 1, upsert: [{ ...one, id, port: await freePort() }] }
    connection.send({ type: 'relay_change', ...change, remove: [] })
  }
  await command.says(/^serving 3 tunnels$/m)
  t.notMatch(command.stdout(), /serving [12] tunnel/, 'not each of several in a row')
  connection.ws.close(1001)
  const again = await panel.nextConnection()
  await welcome(again)
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
  const { panel, home } = await scene(t)
  const command = home.start(['relay', '--bind-host', '0.0.0.0', '--data-port', '0'])
  await command.says(/--public-host/)
  await welcome(await panel.nextConnection())
  command.kill('SIGTERM')
  t.equal(await command.exit, 0)
})

t.test('without encryption it says so, to people and to the panel', async (t) => {
  const { panel, home } = await scene(t)
  const command = home.start(['relay', '--encryption', 'off', '--data-port', '0'])
  const { relay } = await welcome(await panel.nextConnection())
  t.match(relay, { encryption: 'off', fingerprint: undefined })
  await command.says(/encryption is off/)
  command.kill('SIGTERM')
  t.equal(await command.exit, 0)
})

t.test('--metrics-address serves its figures there until it ends, and must be free', async (t) => {
  const { panel, home } = await scene(t)
  const address = `127.0.0.1:${await freePort()}`
  const args = ['relay', '--data-port', '0', '--metrics-address', address]
  const command = home.start(args)
  await command.says(new RegExp(`^metrics at http://${address}/metrics$`, 'm'))
  const metrics = await (await fetch(`http://${address}/metrics`)).text()
  t.match(metrics, new RegExp(`^sallyport_relay_up\\{relay="${RELAY_ID}"\\} 1$`, 'm'))
  t.equal((await fetch(`http://${address}/healthz`)).status, 200)
  await welcome(await panel.nextConnection())

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

t.test('a certificate of files, renewed while it runs', async (t) => {
  const { panel, home } = await scene(t)
  const [certificate, privateKey] = [`${home.config}.cert.pem`, `${home.config}.key.pem`]
  const pair = createSelfSigned({ commonName: 'localhost' })
  await writeFile(certificate, pair.cert)
  await writeFile(privateKey, pair.key)
  const args = ['relay', '--data-port', '0', '--certificate', certificate]
  const command = home.start([...args, '--private-key', privateKey])
  const { relay } = await welcome(await panel.nextConnection())
  t.match(relay, { encryption: 'tls', fingerprint: undefined })
  command.kill('SIGTERM')
  t.equal(await command.exit, 0)

  const half = home.start(args)
  t.equal(await half.exit, 2)
  t.match(half.stderr(), /belong together/)
  const missing = home.start([...args, '--private-key', `${privateKey}.gone`])
  t.equal(await missing.exit, 1)
  t.match(missing.stderr(), /key\.pem\.gone cannot be read \(ENOENT\)/)
  const off = home.start([...args, '--private-key', privateKey, '--encryption', 'off'])
  t.equal(await off.exit, 1)
  t.match(off.stderr(), /error: --certificate .*cert\.pem with --private-key .*key\.pem: there is no encryption/)
  await writeFile(privateKey, createSelfSigned().key)
  const mixed = home.start([...args, '--private-key', privateKey])
  t.equal(await mixed.exit, 1)
  t.match(mixed.stderr(), /the private key is not that of the certificate/)
  const garbage: [string, string, RegExp][] = [
    [privateKey, 'nonsense', /error: --private-key .*key\.pem is no private key in PEM/],
    [privateKey, encrypted(pair.key), /error: --private-key .*key\.pem is protected by a passphrase/],
    [certificate, 'nonsense', /error: --certificate .*cert\.pem is no certificate in PEM/],
  ]
  for (const [path, content, words] of garbage) {
    await writeFile(path, content)
    const refused = home.start([...args, '--private-key', privateKey])
    t.equal(await refused.exit, 1)
    t.match(refused.stderr(), words)
  }
})

t.test('a certificate that is for another host, or ends soon, is warned of', async (t) => {
  const { panel, home } = await scene(t)
  const [certificate, privateKey] = [`${home.config}.cert.pem`, `${home.config}.key.pem`]
  const pair = createSelfSigned({ commonName: 'play.example.com', notAfter: new Date(Date.now() + 3.5 * DAY_MS) })
  await writeFile(certificate, pair.cert)
  await writeFile(privateKey, pair.key)
  const files = ['--certificate', certificate, '--private-key', privateKey]
  for (const [host, words] of [
    [
      'eu.example.com',
      /^the certificate .*cert\.pem: it is not for 'eu\.example\.com', but for play\.example\.com: agents will refuse it$/m,
    ],
    ['play.example.com', /^the certificate .*cert\.pem: it expires in 3 days: renew it$/m],
  ] as const) {
    const command = home.start(['relay', '--data-port', '0', '--public-host', host, ...files])
    await command.says(words)
    await welcome(await panel.nextConnection())
    command.kill('SIGTERM')
    t.equal(await command.exit, 0)
    t.equal(command.stderr().match(/the certificate /g)?.length, 1)
  }
  t.equal(troubleWith(pair.cert, 'play.example.com', Date.now() - 30 * DAY_MS), undefined)
  t.match(troubleWith(pair.cert, 'play.example.com', Date.now() + 3 * DAY_MS), /within a day/)
  t.match(troubleWith(pair.cert, 'play.example.com', Date.now() + 4 * DAY_MS), /has expired/)
  t.match(troubleWith(pair.cert, '192.0.2.1'), /not for '192\.0\.2\.1'/)
})

t.test('files that were renewed are taken, bad ones are said once and not', async (t) => {
  const home = await createHome(t)
  const [certificate, privateKey] = [`${home.config}.cert.pem`, `${home.config}.key.pem`]
  const forLocalhost = () => createSelfSigned({ commonName: 'localhost' })
  const write = (pair: CertificatePair) =>
    Promise.all([writeFile(certificate, pair.cert), writeFile(privateKey, pair.key)])
  await write(forLocalhost())
  const files = await readCertificate(certificate, privateKey)
  if (files === undefined) throw new Error('no files')
  const taken: CertificatePair[] = []
  const said: string[] = []
  const setCertificate = (pair: CertificatePair) => {
    checkCertificate(pair)
    taken.push(pair)
  }
  const say = (event: string) => void said.push(event)
  const output = { event: say, notice: say } as unknown as Output
  const watch = followCertificate(files, { setCertificate, publicHost: 'localhost' }, output, 5)
  t.teardown(watch.end)
  const second = forLocalhost()
  await write(second)
  await until(() => taken.some(({ cert, key }) => cert === second.cert && key === second.key), 'the second')
  said.length = 0
  await writeFile(privateKey, 'nonsense')
  await until(() => said.length > 0, 'a word')
  const third = forLocalhost()
  await write(third)
  await until(() => taken.at(-1)?.key === third.key, 'the third')
  t.match(said[0], 'certificate_not_renewed')
  t.equal(said.at(-1), 'certificate_renewed')
  await rm(certificate)
  await until(() => said.at(-1) === 'certificate_not_renewed', 'the missing file')
  t.equal(taken.at(-1)?.cert, third.cert)
})
