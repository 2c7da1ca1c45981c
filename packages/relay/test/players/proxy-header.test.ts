import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect } from 'node:net'
import t from 'tap'
import { type ProxiedPair, proxyHeaderV1, proxyHeaderV2 } from '../../dist/players/proxy-header.js'
import { allocation, dial, portOf, readBytes, startService, startTunnel, udpSocket, until, within } from '../support.js'

type Test = Pick<typeof t, 'teardown' | 'equal' | 'match'>

const SIGNATURE = '0d0a0d0a000d0a515549540a'
const v4: ProxiedPair = {
  protocol: 'tcp',
  remoteAddress: '192.0.2.1',
  remotePort: 56_324,
  localAddress: '198.51.100.2',
  localPort: 443,
}
const v6: ProxiedPair = { ...v4, remoteAddress: '2001:db8::1', localAddress: '2001:db8::ff:2' }

t.test('version 1, byte for byte', async (t) => {
  t.equal(String(proxyHeaderV1(v4)), 'PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\n')
  t.equal(String(proxyHeaderV1(v6)), 'PROXY TCP6 2001:db8::1 2001:db8::ff:2 56324 443\r\n')
  t.equal(
    String(proxyHeaderV1({ ...v4, remoteAddress: '::ffff:192.0.2.1', localAddress: '::ffff:198.51.100.2' })),
    'PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\n',
    'mapped addresses are the IPv4 ones',
  )
})

t.test('version 2, byte for byte', async (t) => {
  const ports = 'dc0401bb'
  t.equal(proxyHeaderV2(v4).toString('hex'), `${SIGNATURE}2111000cc0000201c6336402${ports}`)
  const [source, destination] = [`20010db8${'0'.repeat(22)}01`, `20010db8${'0'.repeat(16)}00ff0002`]
  t.equal(proxyHeaderV2(v6).toString('hex'), `${SIGNATURE}21210024${source}${destination}${ports}`)
  const udp = { protocol: 'udp' as const }
  t.equal(proxyHeaderV2({ ...v4, ...udp }).toString('hex'), `${SIGNATURE}2112000cc0000201c6336402${ports}`)
  t.equal(
    proxyHeaderV2({ ...v6, ...udp })
      .toString('hex')
      .slice(0, 32),
    `${SIGNATURE}21220024`,
  )
  t.equal(
    proxyHeaderV2({ ...v4, localAddress: '::' }).toString('hex'),
    `${SIGNATURE}2111000cc000020100000000${ports}`,
    'an address of the other family is given as unspecified',
  )
})

/** What a TCP service gets from one player who says `hello`, and the player's port. */
async function received(t: Test, relayHost: string, proxyProtocol: 'none' | 'v1' | 'v2', length: number) {
  const heard: Buffer[] = []
  const { port: target } = await startService(t, (socket) => {
    socket.write('welcome')
    socket.on('data', (chunk: Buffer) => heard.push(chunk))
  })
  const { port, relay } = await startTunnel(t, target, {
    relay: { bindHost: relayHost },
    agent: {},
    allocation: { options: { proxyProtocol } },
    address: relayHost,
  })
  const player = connect({ port, host: relayHost })
  t.teardown(() => player.destroy())
  await within(once(player, 'connect'), 'connect')
  t.equal(String(await readBytes(player, 7)), 'welcome', 'a service that speaks first is heard')
  player.write('hello')
  await until(() => Buffer.concat(heard).length >= length + 5)
  t.match(relay.traffic(), [{ bytesIn: 5, bytesOut: 7 }], 'the header is not counted')
  return { bytes: Buffer.concat(heard), from: player.localPort as number, port }
}

t.test('a TCP service is told before the first byte', async (t) => {
  for (const [host, name] of [
    ['127.0.0.1', 'TCP4'],
    ['::1', 'TCP6'],
  ] as const) {
    const protocol = 'tcp' as const
    const one = await received(t, host, 'v1', 30)
    t.equal(String(one.bytes), `PROXY ${name} ${host} ${host} ${one.from} ${one.port}\r\nhello`)
    const two = await received(t, host, 'v2', 28)
    const header = proxyHeaderV2({
      protocol,
      remoteAddress: host,
      remotePort: two.from,
      localAddress: host,
      localPort: two.port,
    })
    t.equal(two.bytes.toString('hex'), Buffer.concat([header, Buffer.from('hello')]).toString('hex'))
  }
  t.equal(String((await received(t, '127.0.0.1', 'none', 0)).bytes), 'hello')
})

t.test('a UDP service is told in the first datagram of each flow, and only there', async (t) => {
  const target = await udpSocket(t)
  const heard: { payload: Buffer; port: number }[] = []
  target.on('message', (payload, from) => heard.push({ payload, port: from.port }))
  const { port, relay } = await startTunnel(t, target.port, {
    allocation: { protocol: 'udp', options: { proxyProtocol: 'v2' } },
  })
  const players = [await udpSocket(t), await udpSocket(t)]
  const address = { protocol: 'udp' as const, remoteAddress: '127.0.0.1', localAddress: '127.0.0.1', localPort: port }
  for (const [index, player] of players.entries()) {
    for (const text of ['first', 'second']) player.send(text, port, '127.0.0.1')
    await until(() => heard.length === 2 * index + 2)
    const header = proxyHeaderV2({ ...address, remotePort: player.port })
    t.same(heard[2 * index]?.payload, Buffer.concat([header, Buffer.from('first')]))
    t.same(heard[2 * index + 1]?.payload, Buffer.from('second'))
  }
  t.match(relay.traffic(), [{ bytesIn: 22 }])
})

t.test('a first datagram without room for the header is lost, and the next is the first', async (t) => {
  const target = await udpSocket(t)
  const heard: Buffer[] = []
  target.on('message', (payload) => heard.push(payload))
  const { port } = await startTunnel(t, target.port, {
    allocation: { protocol: 'udp', options: { proxyProtocol: 'v2' } },
  })
  const player = await udpSocket(t)
  player.send(Buffer.alloc(65_500), port, '127.0.0.1')
  await until(() => {
    player.send('small', port, '127.0.0.1')
    return heard.length > 0
  })
  t.equal(heard[0]?.length, 28 + 5)
})

t.test('over IPv6 UDP', async (t) => {
  const target = await udpSocket(t)
  const heard: Buffer[] = []
  target.on('message', (payload) => heard.push(payload))
  const { port } = await startTunnel(t, target.port, {
    relay: { bindHost: '::1' },
    address: '::1',
    allocation: { protocol: 'udp', options: { proxyProtocol: 'v2' } },
  })
  const player = createSocket('udp6').bind(0, '::1')
  await once(player, 'listening')
  t.teardown(() => new Promise<void>((resolve) => player.close(() => resolve())))
  player.send('x', port, '::1')
  await until(() => heard.length === 1)
  const address = { remoteAddress: '::1', remotePort: player.address().port, localAddress: '::1', localPort: port }
  t.same(heard[0], Buffer.concat([proxyHeaderV2({ protocol: 'udp', ...address }), Buffer.from('x')]))
})

t.test('put on and taken off while it runs: it holds for the next player', async (t) => {
  const heard: Buffer[] = []
  const { port: target } = await startService(t, (socket) => socket.on('data', (chunk: Buffer) => heard.push(chunk)))
  const { relay, port } = await startTunnel(t, target)
  const change = (revision: number, proxyProtocol: 'none' | 'v1') =>
    relay.change({ revision, upsert: [allocation(1, target, { options: { proxyProtocol } })], remove: [] })
  const says = async (player: Awaited<ReturnType<typeof dial>>, text: string) => {
    heard.length = 0
    player.write(text)
    await until(() => String(Buffer.concat(heard)).endsWith(text))
    return String(Buffer.concat(heard))
  }
  const present = await dial(t, port)
  t.equal(await says(present, 'a'), 'a')
  await change(2, 'v1')
  t.equal(portOf(relay, 1), port, 'the port stays')
  t.equal(await says(present, 'b'), 'b', 'in the middle of a connection there is no place for it')
  t.match(await says(await dial(t, port), 'c'), /^PROXY TCP4 127\.0\.0\.1 127\.0\.0\.1 \d+ \d+\r\nc?/)
  await change(3, 'none')
  t.equal(await says(await dial(t, port), 'd'), 'd')
})
