import t, { type Test } from 'tap'
import { createPanelClient } from '../../../dist/cli/panel/panel-client.js'
import { listAllocations } from '../../../dist/cli/tunnels/allocation-requests.js'
import { ensureAllocations } from '../../../dist/cli/tunnels/ensure-allocation.js'
import { parseTarget, refusalOf } from '../../../dist/cli/tunnels/target.js'
import { createFakePanel, problem } from '../../fake-panel.js'
import { type FakeAllocation, MAKE, ONE, serveAllocations } from './tunnels-panel.js'

const TARGET = { localHost: '127.0.0.1', localPort: 25_565, protocol: 'tcp' } as const

async function panelWith(t: Test, allocations: FakeAllocation[]) {
  const panel = await createFakePanel()
  t.teardown(() => panel.close())
  serveAllocations(panel, allocations)
  const client = createPanelClient({ panel: new URL(panel.url) })
  const { signal } = new AbortController()
  const ensure = async (target: Parameters<typeof ensureAllocations>[1], deviceId?: string) => {
    const listed = await listAllocations(client, signal)
    if (!listed.ok) throw new Error(listed.detail)
    return ensureAllocations(client, target, listed.value, deviceId, signal)
  }
  return { panel, ensure, made: () => panel.requestsTo(MAKE).map(({ body }) => body) }
}

t.test('what is there is found and nothing made, a second time neither', async (t) => {
  const { ensure, made } = await panelWith(t, [{ ...ONE }])
  t.match(await ensure(TARGET), { ok: true, made: [], existing: [{ id: 12 }] })
  t.match(await ensure({ ...TARGET, port: 20_001, region: 'us' }), { ok: true, made: [], existing: [{ id: 12 }] })
  t.strictSame(made(), [])
})

t.test('another target, protocol, port or device is another tunnel', async (t) => {
  const { ensure, made } = await panelWith(t, [{ ...ONE, id: 5 }])
  t.match(await ensure({ ...TARGET, localPort: 1 }), { ok: true, made: [{ localPort: 1 }] })
  t.match(await ensure({ ...TARGET, protocol: 'udp', localHost: '::1' }), { ok: true, made: [{ protocol: 'udp' }] })
  t.match(await ensure({ ...TARGET, port: 20_500, region: 'eu' }), { ok: true, made: [{ port: 20_500 }] })
  t.match(await ensure(TARGET, '11111111-0000-4000-8000-000000000000'), { ok: true, existing: [] })
  t.strictSame(made(), [
    { ...TARGET, localPort: 1 },
    { ...TARGET, protocol: 'udp', localHost: '::1' },
    { ...TARGET, port: 20_500, region: 'eu' },
    TARGET,
  ])
})

t.test(
  'the second protocol is asked for on the number of the first, else on any; not when one is wished',
  async (t) => {
    const { panel, ensure, made } = await panelWith(t, [{ ...ONE }])
    const make = panel.routes.get(MAKE)
    panel.routes.set(MAKE, (request) => {
      const { port } = request.body as { port?: number }
      return port === undefined ? (make?.(request) ?? {}) : problem(409, 'port_taken', `Port ${port} is taken`)
    })
    t.match(await ensure({ ...TARGET, protocol: 'both' }), {
      ok: true,
      made: [{ protocol: 'udp' }],
      existing: [{ id: 12 }],
    })
    t.strictSame(made(), [
      { ...TARGET, protocol: 'udp', port: 20_001 },
      { ...TARGET, protocol: 'udp' },
    ])
    t.match(await ensure({ ...TARGET, port: 20_700 }), { ok: false, error: 'port_taken' })
    t.equal(made().length, 3)
  },
)

t.test('targets: a port, or host and port', (t) => {
  for (const [text, localHost, localPort] of [
    ['25565', '127.0.0.1', 25_565],
    [' localhost:80 ', 'localhost', 80],
    ['192.168.1.20:19132', '192.168.1.20', 19_132],
    ['[::1]:25565', '::1', 25_565],
  ] as const) {
    t.strictSame(parseTarget(text), { localHost, localPort })
  }
  for (const text of ['', 'x', ':80', 'host:', 'host:0', 'host:65536', '::1', '[::1]', 'a b:80', '127.0.0.1:80:90']) {
    t.type(
      refusalOf(() => parseTarget(text)),
      'string',
      text,
    )
  }
  t.equal(
    refusalOf(() => parseTarget('80')),
    undefined,
  )
  t.end()
})
