import { once } from 'node:events'
import { createServer } from 'node:net'
import fc from 'fast-check'
import t from 'tap'
import { createAllowList, LOOPBACK_RULES } from '../../dist/target/allow-rule.js'
import { LocalSources, localSourceFor } from '../../dist/target/local-source.js'
import { dialTarget } from '../../dist/target/target.js'
import { freePort } from '../free-port.js'
import { startService } from '../support.js'

const linux = { skip: process.platform === 'linux' ? false : 'other systems have no 127.0.0.0/8' }
const loopback = createAllowList(LOOPBACK_RULES)
const never = new AbortController().signal

t.test('the same address gives the same source, in whatever spelling', async (t) => {
  t.equal(localSourceFor('192.0.2.1'), localSourceFor('::ffff:192.0.2.1'))
  t.equal(localSourceFor('192.0.2.1'), localSourceFor('::ffff:c000:201'))
  t.equal(localSourceFor('2001:db8::1'), localSourceFor('2001:0DB8:0:0:0:0:0:1'))
  t.not(localSourceFor('192.0.2.1'), localSourceFor('192.0.2.2'))
  t.not(localSourceFor('2001:db8::1'), localSourceFor('2001:db8::2'))
  // Bans of a server hold only as long as these do not change from one version to the next.
  t.equal(localSourceFor('192.0.2.1'), '127.12.100.53')
  t.equal(localSourceFor('2001:db8::1'), '127.146.202.41')
})

t.test('an address of a host, outside 127.0.0.0/24', async () => {
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), fc.ipV6(), fc.string()), (address) => {
      const [a = 0, b = 0, c = -1, d = 0, ...more] = localSourceFor(address).split('.').map(Number)
      return a === 127 && b >= 1 && b <= 254 && c >= 0 && c <= 255 && d >= 1 && d <= 254 && more.length === 0
    }),
    { numRuns: 2_000 },
  )
})

t.test('neighbours are spread well', async (t) => {
  const players = 20_000
  const sources = new Set<string>()
  const perSecondByte = new Map<string, number>()
  for (let n = 0; n < players; n += 1) {
    const source = localSourceFor(`10.0.${n >> 8}.${n & 255}`)
    sources.add(source)
    const [, second = ''] = source.split('.')
    perSecondByte.set(second, (perSecondByte.get(second) ?? 0) + 1)
  }
  // Birthdays: n²/2m of 16.5 million, about 12.
  t.ok(players - sources.size < 40, `${players - sources.size} share one`)
  t.equal(perSecondByte.size, 254)
  t.ok(Math.max(...perSecondByte.values()) < (2 * players) / 254)
})

t.test('only for IPv4 loopback targets, on Linux, when wanted', async (t) => {
  const sources = new LocalSources('distinct', 'linux')
  t.equal(sources.choose('192.0.2.1', '127.0.0.1'), localSourceFor('192.0.2.1'))
  t.equal(sources.choose('192.0.2.1', '127.9.9.9'), localSourceFor('192.0.2.1'))
  for (const target of ['192.168.1.2', '::1', '::ffff:127.0.0.1', '1270.0.0.1', '127.example.org', '0.0.0.0'])
    t.equal(sources.choose('192.0.2.1', target), undefined, target)
  t.equal(new LocalSources('shared', 'linux').choose('192.0.2.1', '127.0.0.1'), undefined)
  for (const platform of ['darwin', 'win32', 'freebsd'] as const)
    t.equal(new LocalSources('distinct', platform).choose('192.0.2.1', '127.0.0.1'), undefined, platform)
})

t.test('a host without such addresses goes without for a while, a source without ports for a moment', async (t) => {
  const error = (code: string, syscall: string) => Object.assign(new Error(code), { code, syscall })
  const choose = (of: LocalSources, player = '192.0.2.1') => of.choose(player, '127.0.0.1')
  const { now } = performance
  let at = 1_000_000
  performance.now = () => at
  t.teardown(() => {
    performance.now = now
  })
  const sources = new LocalSources('distinct', 'linux')
  const source = choose(sources) ?? ''
  t.equal(sources.judge(error('ECONNREFUSED', 'connect')), 'target')
  for (const [code, syscall] of [
    ['EADDRINUSE', 'connect'],
    ['EADDRNOTAVAIL', 'connect'],
  ] as const)
    t.equal(sources.judge(error(code, syscall)), 'port')
  t.equal(choose(sources), source)
  sources.pause(source)
  t.equal(choose(sources), undefined)
  t.ok(choose(sources, '192.0.2.2'), 'others have ports of their own')
  at += 1_001
  t.equal(choose(sources), source)

  t.equal(sources.judge(error('EADDRNOTAVAIL', 'bind')), 'host')
  t.equal(choose(sources, '192.0.2.2'), undefined)
  at += 60_001
  t.equal(choose(sources), source)
})

t.test('ports come in turn, and none from those that the system gives out', async (t) => {
  const sources = new LocalSources('distinct', 'linux')
  const ports = new Set(Array.from({ length: 4_536 }, () => sources.nextPort()))
  t.equal(ports.size, 4_536)
  t.ok(Math.min(...ports) >= 61_000 && Math.max(...ports) <= 65_535)
  t.ok(ports.has(sources.nextPort()))
})

t.test('a source whose ports are taken is done without for a moment', linux, async (t) => {
  const { port } = await startService(t, () => {})
  const sources = new LocalSources('distinct')
  const remoteAddress = '192.0.2.1'
  const dial = async () => {
    const dialled = await dialTarget({ host: '127.0.0.1', port }, loopback, 1_000, never, { remoteAddress, sources })
    if (!dialled.ok) throw new Error(dialled.error)
    t.teardown(() => dialled.value.destroy())
    return dialled.value
  }
  const first = await dial()
  t.equal(first.localAddress, localSourceFor(remoteAddress))
  sources.nextPort = () => first.localPort as number
  t.equal((await dial()).localAddress, '127.0.0.1')
  t.equal(sources.choose(remoteAddress, '127.0.0.1'), undefined)
})

t.test('a service on 127.0.0.1 sees who it is', linux, async (t) => {
  const seen: string[] = []
  const { port } = await startService(t, (socket) => {
    seen.push(socket.remoteAddress ?? '')
    socket.end()
  })
  const sources = new LocalSources('distinct')
  for (const remoteAddress of ['192.0.2.1', '192.0.2.2', '192.0.2.1', '2001:db8::1']) {
    const dialled = await dialTarget({ host: 'localhost', port }, loopback, 1_000, never, { remoteAddress, sources })
    t.ok(dialled.ok)
    if (!dialled.ok) continue

    t.equal(dialled.value.localAddress, localSourceFor(remoteAddress))
    dialled.value.destroy()
  }
  t.equal(seen.length, 4)
  t.equal(new Set(seen).size, 3)
  t.equal(seen[0], seen[2])
})

t.test('a source that cannot be bound is done without', async (t) => {
  const seen: string[] = []
  const { port } = await startService(t, (socket) => {
    seen.push(socket.remoteAddress ?? '')
    socket.end()
  })
  /** As on a host without these addresses: 192.0.2.1 is nobody's (RFC 5737). */
  class Foreign extends LocalSources {
    chosen = 0
    override choose(remoteAddress: string, target: string): string | undefined {
      if (super.choose(remoteAddress, target) === undefined) return undefined
      this.chosen += 1
      return '192.0.2.1'
    }
  }
  const sources = new Foreign('distinct', 'linux')
  for (let n = 0; n < 3; n += 1) {
    const player = { remoteAddress: '198.51.100.1', sources }
    const dialled = await dialTarget({ host: '127.0.0.1', port }, loopback, 1_000, never, player)
    t.ok(dialled.ok)
    if (dialled.ok) dialled.value.destroy()
  }
  t.same(seen, ['127.0.0.1', '127.0.0.1', '127.0.0.1'])
  t.equal(sources.chosen, 1, 'it is not tried again for everybody')
})

t.test('a target that refuses is asked once, and refuses', linux, async (t) => {
  const { port, server } = await startService(t, () => {})
  await new Promise((resolve) => server.close(resolve))
  const player = { remoteAddress: '192.0.2.1', sources: new LocalSources('distinct') }
  const target = { host: '127.0.0.1', port }
  t.same(await dialTarget(target, loopback, 1_000, never, player), { ok: false, error: 'target_refused' })
})

t.test('a connection to itself is a refusal, and leaves the port to the service', linux, async (t) => {
  const port = await freePort()
  const sources = new LocalSources('distinct')
  // As the system may choose where it is left to it.
  sources.choose = () => '127.0.0.1'
  sources.nextPort = () => port
  const target = { host: '127.0.0.1', port }
  const player = { remoteAddress: '192.0.2.1', sources }
  t.same(await dialTarget(target, loopback, 1_000, never, player), { ok: false, error: 'target_refused' })
  const service = createServer().listen(port, '127.0.0.1')
  t.teardown(() => service.close())
  await once(service, 'listening')
})
