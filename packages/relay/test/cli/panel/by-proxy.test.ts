import { readFile } from 'node:fs/promises'
import t, { type Test } from 'tap'
import { createFakePanel, type FakePanel } from '../../fake-panel.js'
import { type HttpProxy, startHttpProxy } from '../../proxy/http-proxy.js'
import { addressOf, allocation, DEVICE, dial, portOf, readBytes, startEcho, startRelay } from '../../support.js'
import { createHome, type Home } from '../command.js'

const PANEL = 'http://panel.invalid:8080'
const PASSWORD = 'pass-word-of-the-proxy'
const TOKEN = 'header.payload-very-secret.signature'

async function scene(t: Test, routes: Record<string, number> = {}) {
  const panel: FakePanel = await createFakePanel()
  t.teardown(() => panel.close())
  const proxy: HttpProxy = await startHttpProxy(t, { 'panel.invalid': Number(new URL(panel.url).port), ...routes })
  const home: Home = await createHome(t)
  await home.enrol({ panel: PANEL, token: TOKEN })
  const env = { HTTP_PROXY: `http://me:${PASSWORD}@${proxy.url.host}`, HTTPS_PROXY: proxy.url.href }
  return { panel, proxy, home, env }
}

t.test('a command reaches its panel by the proxy of the environment', async (t) => {
  const { panel, proxy, home, env } = await scene(t)
  panel.routes.set('GET /api/tunnel/allocations', () => ({ body: { allocations: [] } }))
  const command = home.start(['allocations', '--json', '--verbose'], env)
  t.equal(await command.exit, 0)
  t.same(proxy.asked, ['panel.invalid:8080'])
  t.match(proxy.headers[0], { 'proxy-authorization': `Basic ${Buffer.from(`me:${PASSWORD}`).toString('base64')}` })
  t.notMatch(command.stdout() + command.stderr(), PASSWORD)
  const direct = home.start(['allocations'], { ...env, NO_PROXY: 'invalid' })
  t.equal(await direct.exit, 69)
  t.equal(proxy.asked.length, 1, 'NO_PROXY keeps it out')
})

t.test('what is wrong with the proxy is said with what to do, and without its password', async (t) => {
  const { proxy, home, env } = await scene(t)
  const run = async (environment: Record<string, string>) => {
    const command = home.start(['allocations', '--verbose'], environment)
    const code = await command.exit
    t.notMatch(command.stdout() + command.stderr(), PASSWORD)
    return { code, says: command.stderr() }
  }
  proxy.refuseWith = 407
  t.match(await run(env), { code: 69, says: /proxy 127\.0\.0\.1:\d+ wants other credentials .*407.*HTTPS_PROXY/ })
  proxy.refuseWith = 403
  t.match(await run(env), { code: 69, says: /does not permit it .*403.*NO_PROXY/ })
  proxy.refuseWith = 401
  t.match(await run(env), { code: 69 }, 'not 3: it is not the panel that says so')
  proxy.refuseWith = 502
  t.match(await run(env), { code: 69, says: /does not get through/ })
  await proxy.close()
  t.match(await run(env), {
    code: 69,
    says: /^error: http\S+ is out of reach: the proxy \S+: nothing listens there \(.*\); check/m,
  })
  t.match(await run({ HTTP_PROXY: `socks5://x:${PASSWORD}@127.0.0.1` }), { code: 2, says: /HTTP_PROXY.*only http/ })
})

t.test('enrolled, run and played with nothing but a proxy', async (t) => {
  const relay = await startRelay(t)
  const { panel, proxy, home, env } = await scene(t, { 'relay.invalid': relay.dataPort })
  panel.routes.set('POST /api/tunnel/device/start', () => ({
    body: {
      deviceCode: 'c',
      userCode: 'ABCD-1234',
      verificationUri: `${PANEL}/device`,
      expiresAt: new Date(Date.now() + 60_000).toISOString(),
      interval: 1,
    },
  }))
  panel.routes.set('GET /api/tunnel/device/poll', () => ({ body: { approved: true, token: TOKEN } }))
  const enrolled = home.start(['enroll', '--panel', PANEL], env)
  t.equal(await enrolled.exit, 0, enrolled.stderr())
  const echo = await startEcho(t)
  await relay.apply({ revision: 1, allocations: [allocation(1, echo.port)] })
  const agent = home.start(['run', '--verbose'], env)
  const connection = await panel.nextConnection()
  t.equal(connection.headers.authorization, `Bearer ${TOKEN}`)
  await connection.welcome()
  const { id, port, fingerprint, ticket } = addressOf(relay, DEVICE)
  connection.send({
    type: 'state',
    revision: 1,
    allocations: [],
    relays: [{ id, host: 'relay.invalid', port, fingerprint, ticket }],
  })
  await agent.says(/linked to relay/)
  const player = await dial(t, portOf(relay, 1))
  player.write('hello')
  t.equal(String(await readBytes(player, 5)), 'hello')
  t.same(new Set(proxy.asked), new Set(['panel.invalid:8080', `relay.invalid:${port}`]))
  t.notMatch(agent.stdout() + agent.stderr() + (await readFile(home.config, 'utf8')), PASSWORD)
  agent.kill('SIGTERM')
  t.equal(await agent.exit, 0)
})
