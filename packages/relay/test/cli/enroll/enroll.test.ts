import { readdir, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import t from 'tap'
import { createFakePanel, type FakeAnswer, html, problem } from '../../fake-panel.js'
import { createHome, lines } from '../command.js'
import { approved, DEVICE_CODE, POLL, panelWith, pending, START, TOKEN } from './enroll-panel.js'

/** By which a timer may be early. */
const TIMER_MS = 2

t.test('prints code and link, waits, saves the token 0600', async (t) => {
  const home = await createHome(t)
  const panel = await panelWith(t, [pending, pending, approved])
  const command = home.start(['enroll', '--panel', panel.url, '--name', 'box', '--verbose'])
  t.equal(await command.exit, 0)
  t.match(command.stdout(), /ABCD-1234/)
  t.ok(command.stdout().includes(`${panel.url}/device?user_code=ABCD-1234`))
  t.match(command.stdout(), /Enrolled as box/)
  t.strictSame(JSON.parse(await home.read()), { panel: panel.url, token: TOKEN, name: 'box', kind: 'client' })
  t.equal((await stat(home.config)).mode & 0o777, 0o600)
  const [start] = panel.requestsTo(START)
  t.strictSame(start?.body, { name: 'box', kind: 'client' })
  t.equal(start?.headers.authorization, undefined)
  t.equal(panel.requestsTo(POLL)[0]?.query.get('deviceCode'), DEVICE_CODE)
  for (const secret of [TOKEN, DEVICE_CODE]) {
    t.notOk(`${command.stdout()}${command.stderr()}`.includes(secret), 'no secret is shown, not with --verbose either')
  }
})

t.test('--json prints one object on each line', async (t) => {
  const home = await createHome(t)
  const panel = await panelWith(t, [approved])
  const command = home.start(['enroll', '--panel', panel.url, '--json', '--verbose'])
  t.equal(await command.exit, 0)
  t.match(command.json(), [
    { event: 'code', userCode: 'ABCD-1234' },
    { event: 'enrolled', config: home.config },
  ])
  t.ok(lines(command.stderr()).length > 0)
})

t.test('the panel may come from the environment; a proxy prefix is kept', async (t) => {
  const home = await createHome(t)
  const panel = await panelWith(t, [])
  for (const key of [START, POLL]) {
    const route = panel.routes.get(key)
    if (route) panel.routes.set(key.replace('/api', '/hosting/api'), key === POLL ? () => approved : route)
  }
  const command = home.start(['enroll'], { SALLYPORT_PANEL: `${panel.url}/hosting/` })
  t.equal(await command.exit, 0)
  t.match(JSON.parse(await home.read()), { panel: `${panel.url}/hosting` })
})

t.test('--kind server sends the administrator key once, and never shows it', async (t) => {
  const home = await createHome(t)
  const panel = await panelWith(t, [approved])
  const key = 'sp_admin_key_0123456789abcdef'
  const command = home.start(['enroll', '--panel', panel.url, '--kind', 'server', '--verbose'], {
    SALLYPORT_API_KEY: key,
  })
  t.equal(await command.exit, 0)
  t.equal(panel.requestsTo(START)[0]?.headers.authorization, `ApiKey ${key}`)
  t.match(panel.requestsTo(START)[0]?.body, { kind: 'server' })
  t.equal(panel.requestsTo(POLL)[0]?.headers.authorization, undefined)
  t.notOk(`${command.stdout()}${command.stderr()}`.includes(key))
})

t.test('a refused key is exit 3, a key without the right is exit 1', async (t) => {
  const home = await createHome(t)
  const panel = await panelWith(t, [])
  panel.routes.set(START, () => problem(401, 'unauthorized'))
  const args = ['enroll', '--panel', panel.url, '--kind', 'server']
  const refused = home.start(args, { SALLYPORT_API_KEY: 'key-0123456789' })
  t.equal(await refused.exit, 3)
  t.match(refused.stderr(), /SALLYPORT_API_KEY/)
  panel.routes.set(START, () => problem(403, 'forbidden', 'A server needs an administrator'))
  const forbidden = home.start(args, { SALLYPORT_API_KEY: 'key-0123456789' })
  t.equal(await forbidden.exit, 1)
  t.match(forbidden.stderr(), /needs an administrator/)
})

const ends: [string, FakeAnswer, RegExp][] = [
  ['an expired code', problem(410, 'enrolment_expired', 'expired'), /expired/],
  ['a denied code (410)', problem(410, 'enrolment_denied', 'denied'), /denied/],
  ['a denied code (403)', problem(403, 'access_denied', 'denied'), /denied/],
  ['a redeemed code', problem(410, 'enrolment_redeemed'), /handed out already/],
  ['a code that is not known any more', problem(404, 'not_found'), /does not know this code/],
  ['an answer of nonsense', { body: { approved: 'yes' } }, /not understood/],
  ['an approval without a token', { body: { approved: true } }, /not understood/],
  ['HTML in the middle', html(200), /no Sallyport panel/],
]
for (const [name, answer, words] of ends) {
  t.test(`${name}: exit 1 with words, nothing saved`, async (t) => {
    const home = await createHome(t)
    const panel = await panelWith(t, [pending, answer])
    const command = home.start(['enroll', '--panel', panel.url])
    t.equal(await command.exit, 1)
    t.match(command.stderr(), words)
    t.strictSame(await readdir(home.path), [])
  })
}

t.test('429 while polling: waits as long as Retry-After says', async (t) => {
  const home = await createHome(t)
  const panel = await panelWith(t, [])
  const times: number[] = []
  panel.routes.set(POLL, () => {
    times.push(Date.now())
    return times.length === 1 ? problem(429, 'slow_down', '', { 'retry-after': '1' }) : approved
  })
  const command = home.start(['enroll', '--panel', panel.url])
  t.equal(await command.exit, 0)
  t.ok((times[1] ?? 0) - (times[0] ?? 0) >= 1_000 - TIMER_MS)
})

t.test('the interval is kept', async (t) => {
  const home = await createHome(t)
  const panel = await panelWith(t, [], 0.5)
  const times: number[] = []
  panel.routes.set(POLL, () => {
    times.push(Date.now())
    return times.length < 3 ? { body: { approved: false, interval: 0.5 } } : approved
  })
  const command = home.start(['enroll', '--panel', panel.url])
  t.equal(await command.exit, 0)
  for (let at = 1; at < times.length; at += 1) t.ok((times[at] ?? 0) - (times[at - 1] ?? 0) >= 500 - TIMER_MS)
})

t.test('a panel that goes and comes while polling, and one that switches tunnels off: the wait goes on', async (t) => {
  const home = await createHome(t)
  const panel = await panelWith(t, [html(502), problem(403, 'feature_disabled'), problem(503, 'unavailable'), approved])
  const command = home.start(['enroll', '--panel', panel.url])
  t.equal(await command.exit, 0)
  t.equal(command.stderr().match(/trying on/g)?.length, 1, 'said once')
})

const starts: [string, FakeAnswer, number, RegExp][] = [
  ['an HTML page', html(200), 1, /no Sallyport panel \(HTTP 200, text\/html\)/],
  ['a 404 page', html(404), 1, /no Sallyport panel/],
  ['a redirect', { status: 301, headers: { location: 'https://elsewhere.example/' } }, 1, /redirects/],
  ['a proxy whose panel is down', html(502), 69, /out of reach/],
  ['JSON of something else', { body: { hello: 'world' } }, 1, /not understood/],
  [
    'a link that is none',
    { body: { deviceCode: 'x', userCode: 'A', verificationUri: 'javascript:1' } },
    1,
    /not understood/,
  ],
  ['tunnels switched off', problem(403, 'feature_disabled', 'off'), 1, /switched off/],
  ['too many requests', problem(429, 'too_many_requests', '', { 'retry-after': '30' }), 1, /try again in 30 s/],
  ['a bad name', problem(400, 'bad_request', 'name is \u001b[31mbad'), 1, /name is/],
]
for (const [name, answer, code, words] of starts) {
  t.test(`start answered with ${name}: exit ${code}`, async (t) => {
    const home = await createHome(t)
    const panel = await panelWith(t, [])
    panel.routes.set(START, () => answer)
    const command = home.start(['enroll', '--panel', panel.url])
    t.equal(await command.exit, code)
    t.match(command.stderr(), words)
    t.notMatch(command.stderr(), /\n {4}at /)
    t.notOk(command.stderr().includes('\u001b'), 'nothing that steers a terminal')
    t.equal(panel.requests.length, 1)
  })
}

t.test('out of reach, unknown host and no TLS: exit 69, told apart', async (t) => {
  const home = await createHome(t)
  const panel = await createFakePanel()
  const { port } = new URL(panel.url)
  const tls = home.start(['enroll', '--panel', `https://127.0.0.1:${port}`])
  t.equal(await tls.exit, 69)
  t.match(tls.stderr(), /TLS/)
  await panel.close()
  const refused = home.start(['enroll', '--panel', panel.url])
  t.equal(await refused.exit, 69)
  t.match(refused.stderr(), /connection refused/)
  const unknown = home.start(['enroll', '--panel', 'https://nowhere.invalid'])
  t.equal(await unknown.exit, 69)
  t.match(unknown.stderr(), /DNS/)
})

t.test('something that is no HTTP: exit 69', async (t) => {
  const home = await createHome(t)
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.end('SSH-2.0-OpenSSH_9.2\r\n')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const command = home.start(['enroll', '--panel', `http://127.0.0.1:${(server.address() as { port: number }).port}`])
  t.equal(await command.exit, 69)
  t.notMatch(command.stderr(), /\n {4}at /)
})

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  t.test(`${signal} while waiting: clean, exit 1, nothing saved`, async (t) => {
    const home = await createHome(t)
    const panel = await panelWith(t, [], 30)
    const command = home.start(['enroll', '--panel', panel.url])
    await command.says(/Waiting/)
    command.kill(signal)
    t.equal(await command.exit, 1)
    t.match(command.stderr(), /cancelled/)
    t.strictSame(await readdir(home.path), [])
  })
}

t.test('a place that cannot be written is found before anyone is asked to approve', async (t) => {
  const home = await createHome(t)
  const panel = await panelWith(t, [])
  await home.enrol({})
  const command = home.start(['enroll', '--panel', panel.url, '--config', `${home.config}/below/agent.json`])
  t.equal(await command.exit, 1)
  t.match(command.stderr(), /cannot be written/)
  t.equal(panel.requests.length, 0)
})

t.test('an enrolment that is there is replaced, and that is said', async (t) => {
  const home = await createHome(t)
  const panel = await panelWith(t, [approved])
  await home.enrol({ panel: 'https://old.example', token: 'old-token-012345' })
  const command = home.start(['enroll', '--panel', panel.url])
  t.equal(await command.exit, 0)
  t.match(command.stderr(), /replaced/)
  t.match(JSON.parse(await home.read()), { token: TOKEN })
})

t.test('tunnels, rules and what is not known of the old configuration stay', async (t) => {
  const home = await createHome(t)
  const panel = await panelWith(t, [{ body: { approved: true, token: TOKEN, deviceId: 'd1', name: 'renamed' } }])
  const beside = { tunnels: [{ localPort: 25_565 }], allow: ['127.0.0.1:25565'], note: 'mine' }
  await home.enrol({ panel: 'https://old.example', token: 'old-token-012345', deviceId: 'old', ...beside })
  const command = home.start(['enroll', '--panel', panel.url, '--json'])
  t.equal(await command.exit, 0)
  t.strictSame(JSON.parse(await home.read()), {
    panel: panel.url,
    token: TOKEN,
    name: 'renamed',
    deviceId: 'd1',
    kind: 'client',
    ...beside,
  })
  t.match(command.json().at(-1), { event: 'enrolled', name: 'renamed', deviceId: 'd1', kind: 'client' })
  t.notOk(command.stdout().includes('old-token'))
})

t.test('what stands in the way of a configuration is found before anyone is asked, and stays as it is', async (t) => {
  const home = await createHome(t)
  const panel = await panelWith(t, [approved])
  for (const [text, mode, words] of [
    ['{"token": "old-token-012345", "tunnels": [{"localPort": 25565},]}', 0o600, /no JSON.*: mend it/],
    ['{"tunnels": [{"localPort": 0}]}', 0o600, /tunnels\[0\]\.localPort.*mend it/],
    ['{"tunnels": [{"localPort": 1}]}', 0o644, /chmod 600/],
  ] as const) {
    await rm(home.config, { force: true })
    await writeFile(home.config, text, { mode })
    const command = home.start(['enroll', '--panel', panel.url])
    t.equal(await command.exit, 1)
    t.match(command.stderr(), words)
    t.notOk(command.stderr().includes('old-token'))
    t.equal(await home.read(), text)
  }
  t.equal(await home.start(['enroll', '--panel', panel.url, '--config', home.path]).exit, 1)
  t.equal(panel.requests.length, 0)
  await rm(home.config)
  await home.enrol({ tunnels: [{ localPort: 25_565 }] })
  const command = home.start(['enroll', '--panel', panel.url])
  t.equal(await command.exit, 0, 'tunnels that were written first')
  t.notMatch(command.stderr(), /replaced/)
  t.match(JSON.parse(await home.read()), { token: TOKEN, tunnels: [{ localPort: 25_565 }] })
})
