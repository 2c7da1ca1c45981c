// An agent's clock that is wrong breaks nothing: what has to be in time is by the clock of who gave it.
import { createServer } from 'node:tls'
import t from 'tap'
import { createSelfSigned } from '../../dist/identity/self-signed.js'
import { createHome } from '../cli/command.js'
import { approved, panelWith, pending } from '../cli/enroll/enroll-panel.js'
import { until } from '../support.js'
import { startPanel } from './panel.js'
import { authorityFile, startAgentProcess } from './process.js'
import { joinTcp, joinUdp, startWorld } from './world.js'

const DAY_MS = 86_400_000

/** Arguments of Node that set the wall clock of a process off; timers go on as they would. */
function shiftedClock(offsetMs: number): string[] {
  const code = `
    const Real = Date
    globalThis.Date = class Date extends Real {
      constructor(...values) { values.length === 0 ? super(Real.now() + ${offsetMs}) : super(...values) }
      static now() { return Real.now() + ${offsetMs} }
    }`
  return ['--import', `data:text/javascript,${encodeURIComponent(code)}`]
}

for (const [name, offsetMs] of [
  ['a day ahead', DAY_MS],
  ['a day behind', -DAY_MS],
] as const) {
  t.test(`an agent whose clock is ${name} links, serves, and comes back`, async (t) => {
    const host = '127.0.0.1'
    const world = await startWorld(t, { host, node: shiftedClock(offsetMs) })
    const { panel, relay, agent } = world
    const tcp = await joinTcp(t, world, host)
    const udp = joinUdp(t, world, host)
    tcp.say('hello')
    await until(() => tcp.heard() === 'hello', 'an echo on TCP')
    await udp.echo('hello')
    relay.disconnectDevice('device-1')
    panel.drop()
    await until(() => panel.welcomed === 2 && world.isUp(), 'it is back with a new ticket')
    const late = await joinTcp(t, world, host)
    late.say('new')
    await until(() => late.heard() === 'new', 'an echo on TCP')
    await udp.echo('again')
    t.equal(agent.exitCode, null, 'it runs on')
  })

  t.test(`a machine whose clock is ${name} enrols, and knows how long the code is good`, async (t) => {
    const home = await createHome(t)
    const panel = await panelWith(t, [pending, approved])
    const env = { NODE_OPTIONS: shiftedClock(offsetMs).join(' ') }
    const command = home.start(['enroll', '--panel', panel.url, '--verbose'], env)
    t.equal(await command.exit, 0)
    t.match(command.stdout(), /good for about 10 min/)
    t.match(command.stderr(), offsetMs > 0 ? /1440 min ahead of/ : /1440 min behind/)
  })
}

const dates: [string, Parameters<typeof createSelfSigned>[0], RegExp][] = [
  [
    'has expired',
    { notAfter: new Date(Date.now() - DAY_MS) },
    /certificate_expired: check this machine's clock, it says/,
  ],
  [
    'is not valid yet',
    { notBefore: new Date(Date.now() + DAY_MS) },
    /certificate_not_yet_valid: check this machine's clock/,
  ],
]
for (const [name, options, words] of dates) {
  t.test(`a relay's certificate of an authority that ${name} by our clock: it is said`, async (t) => {
    const pair = createSelfSigned({ commonName: 'localhost', ...options })
    // A relay would not start with it.
    const relay = createServer(pair)
    relay.on('tlsClientError', () => {})
    await new Promise<void>((resolve) => relay.listen(0, '127.0.0.1', resolve))
    t.teardown(() => relay.close())
    const { port } = relay.address() as { port: number }
    const state = () => ({ allocations: [], relays: [{ id: 'eu1', host: 'localhost', port, ticket: 'ticket' }] })
    const panel = await startPanel(t, { state })
    const env = { NODE_EXTRA_CA_CERTS: await authorityFile(t, pair.cert) }
    const agent = await startAgentProcess(t, panel.url, { env })
    await agent.says(words)
    t.equal(agent.exitCode, null, 'it tries on')
  })
}
