import t from 'tap'
import { createAllowList, LOOPBACK_RULES, parseAllowRule } from '../../dist/target/allow-rule.js'
import { dialTarget, resolveTarget } from '../../dist/target/target.js'
import { ending, startService, until } from '../support.js'

const loopback = createAllowList(LOOPBACK_RULES)
const never = new AbortController().signal

t.test('localhost is loopback, IPv4 first, whatever its spelling', async (t) => {
  for (const host of ['localhost', 'LOCALHOST.', 'game.localhost'])
    t.same(await resolveTarget({ host, port: 80 }, loopback, 1_000), { ok: true, value: ['127.0.0.1', '::1'] }, host)
})

t.test('a name is narrowed to the addresses that are allowed', async (t) => {
  const only4 = createAllowList([parseAllowRule('127.0.0.1:80')])
  t.same(await resolveTarget({ host: 'localhost', port: 80 }, only4, 1_000), { ok: true, value: ['127.0.0.1'] })
  t.same(await resolveTarget({ host: 'localhost', port: 81 }, only4, 1_000), { ok: false, error: 'target_forbidden' })
})

t.test('what the rules do not hold is forbidden', async (t) => {
  for (const host of ['10.0.0.1', '0.0.0.0', '::', '169.254.169.254'])
    t.same(await resolveTarget({ host, port: 80 }, loopback, 1_000), { ok: false, error: 'target_forbidden' }, host)
})

t.test('dials, and says why not', async (t) => {
  const { port, server } = await startService(t, (socket) => socket.end('hi'))
  const dialled = await dialTarget({ host: 'localhost', port }, loopback, 1_000, never)
  t.ok(dialled.ok)
  if (dialled.ok) dialled.value.destroy()
  await new Promise((resolve) => server.close(resolve))
  t.same(await dialTarget({ host: '127.0.0.1', port }, loopback, 1_000, never), { ok: false, error: 'target_refused' })
  const gone = new AbortController()
  gone.abort()
  t.same(await dialTarget({ host: '127.0.0.1', port }, loopback, 1_000, gone.signal), {
    ok: false,
    error: 'target_timeout',
  })
})

t.test('a connection that is given up in the moment it is made is reset, and not ended', async (t) => {
  const endings: Promise<string>[] = []
  const { port } = await startService(t, (socket) => endings.push(ending(socket)))
  const giveUp = new AbortController()
  const dialled = dialTarget({ host: '127.0.0.1', port }, createAllowList(LOOPBACK_RULES), 1_000, giveUp.signal)
  // It is dialled by now, and the system takes a local one at once; nobody was told yet.
  for (let turn = 0; turn < 100; turn += 1) await null
  await new Promise((resolve) => process.nextTick(resolve))
  giveUp.abort()
  t.same(await dialled, { ok: false, error: 'target_timeout' })
  await until(() => endings.length === 1)
  t.same(await Promise.all(endings), ['ECONNRESET'])
})
