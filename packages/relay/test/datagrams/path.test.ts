import t from 'tap'
import { udpSocket, until } from '../support.js'
import { makeSecrets, startOnUdp, startPair } from './channel-pair.js'

t.test('items of every size arrive as they were sent, both ways', async (t) => {
  // A standstill of this process is not to be taken for a loss.
  const pair = await startOnUdp(t, { timings: { lostMs: 5_000 } })
  pair.echo = true
  const sizes = [0, 1, 100, 1_163, 1_164, 1_200, 5_000, 30_000, 65_507]
  for (const size of sizes) {
    pair.atRelay.length = 0
    const payload = Buffer.alloc(size, size)
    t.equal(pair.relay.send(4, 0xffff_fffe, payload), true)
    await until(() => pair.atRelay.length === 1, `${size} bytes`)
    t.same(pair.atRelay[0], { kind: 4, flow: 0xffff_fffe, payload })
  }
  t.equal(pair.endpoint.dropped.forged, 0)
})

t.test('what is sent in one turn shares packets', async (t) => {
  const timings = { checkEveryMs: 60_000, keepAliveMs: 60_000 }
  const pair = await startOnUdp(t, { weather: { maxBytes: 1_472 }, timings })
  await until(() => pair.agent.packetBytes === 1_472 && pair.relay.packetBytes === 1_472, 'full packets')
  // No PING, probe or answer of the beginning is to be among them.
  await pair.settles()
  pair.way.seen = []
  pair.atRelay.length = 0
  for (let flow = 0; flow < 100; flow += 1) pair.agent.send(4, flow, Buffer.alloc(100, flow))
  await until(() => pair.atRelay.length === 100, 'all')
  t.same(
    pair.atRelay.map(({ flow }) => flow),
    Array.from({ length: 100 }, (_, flow) => flow),
  )
  const [full, last] = [30 + 13 * 107, 30 + 9 * 107]
  t.same(
    pair.way.seen.map(({ length }) => length),
    [full, full, full, full, full, full, full, last],
  )
})

t.test('a bad path loses, repeats and mixes up datagrams; what arrives arrives once and unharmed', async (t) => {
  const weather = { loss: 0.1, duplicates: 0.1, reordered: 0.2, maxBytes: 1_400 }
  const pair = await startOnUdp(t, { weather, timings: { lostMs: 5_000 } })
  const count = 2_000
  for (let index = 0; index < count; index += 1) {
    pair.agent.send(4, index, Buffer.alloc(index % 17 === 0 ? 4_000 : 50, index))
    if (index % 10 === 9) await new Promise((resolve) => setImmediate(resolve))
  }
  await until(() => pair.atRelay.length > count * 0.75, 'most of them')
  const flows = pair.atRelay.map(({ flow }) => flow)
  t.equal(new Set(flows).size, flows.length, 'none twice')
  for (const { flow, payload } of pair.atRelay)
    if (!payload.equals(Buffer.alloc(flow % 17 === 0 ? 4_000 : 50, flow))) t.fail(`item ${flow} was changed`)
  t.ok(pair.endpoint.dropped.replayed > 0, 'repeated packets were seen')
  t.equal(pair.agent.path, 'udp')
})

t.test('a NAT that takes another port is followed', async (t) => {
  // A standstill of this process is not to be taken for a loss.
  const pair = await startOnUdp(t, { timings: { lostMs: 5_000 } })
  await pair.echoes('before')
  await pair.way.rebind()
  await pair.echoes('after')
  t.same(pair.agentPaths, ['udp'], 'nobody noticed')
})

t.test('packets of a third party move nothing, repeated ones neither', async (t) => {
  const pair = await startOnUdp(t)
  await pair.echoes('before')
  const third = await udpSocket(t)
  let caught = 0
  third.on('message', () => {
    caught += 1
  })
  const relayPort = pair.way.relayPort
  for (const packet of pair.way.seen) {
    third.send(packet, relayPort, '127.0.0.1')
    const changed = Buffer.from(packet)
    changed[10] = (changed[10] ?? 0) ^ 1
    third.send(changed, relayPort, '127.0.0.1')
    third.send(packet.subarray(0, packet.length - 1), relayPort, '127.0.0.1')
  }
  await until(() => pair.endpoint.dropped.replayed > 0 && pair.endpoint.dropped.forged > 0, 'both seen')
  await pair.echoes('after')
  t.equal(caught, 0)
})

t.test('an agent at rest whose NAT has forgotten it is found again within two seconds', async (t) => {
  const pair = await startOnUdp(t, { timings: { keepAliveMs: 60_000, checkEveryMs: 20_000 } })
  await pair.settles()
  // What the relay sends to the old port is lost; the agent has no reason to speak.
  await pair.way.rebind()
  const from = performance.now()
  await pair.echoes('found')
  t.ok(performance.now() - from < 3_000, `${Math.round(performance.now() - from)} ms`)
  t.ok(pair.silences > 0)
})

t.test('links in quick succession: the relay does not send by keys that the agent has forgotten', async (t) => {
  const pair = await startOnUdp(t)
  pair.way.blocked = true
  pair.attach()
  t.equal(pair.relay.path, 'udp', 'the agent still reads by the keys of before')
  pair.attach()
  t.equal(pair.relay.path, undefined)
  t.equal(pair.relay.send(4, 1, Buffer.from('x')), false, 'so that the flow keeps it')
  pair.way.blocked = false
  await pair.onPath('udp')
  await pair.echoes('by the newest')
})

t.test('a new link brings new keys and interrupts nothing', async (t) => {
  // A standstill of this process is not to be taken for a loss.
  const pair = await startOnUdp(t, { timings: { lostMs: 5_000 } })
  for (let link = 0; link < 5; link += 1) {
    pair.attach()
    await pair.echoes(`link ${link}`)
  }
  t.same(pair.agentPaths, ['udp'])
  t.same(pair.relayPaths, ['udp'])
  t.equal(pair.endpoint.dropped.forged, 0)
})

t.test('an agent that speaks by a link that was replaced before it was used is not sent to', async (t) => {
  // A standstill of this process is not to be taken for a loss.
  const pair = await startOnUdp(t, { timings: { lostMs: 5_000 } })
  const second = makeSecrets()
  const third = makeSecrets()
  pair.relay.attach(second)
  const { length } = pair.way.seen
  pair.attach(third, second)
  await until(() => pair.way.seen.length > length + 1, 'it speaks')
  t.equal(pair.relay.path, undefined, 'there are no keys that both use')
  pair.attach()
  await pair.onPath('udp')
  await pair.echoes('again')
})

t.test('what is under way to flows that are over is not understood any more', async (t) => {
  const pair = await startOnUdp(t)
  const { length } = pair.way.seen
  pair.agent.forget()
  pair.relay.send(4, 1, Buffer.from('to the flow of before'))
  pair.attach()
  await until(() => pair.way.seen.length > length, 'the agent speaks by the new keys')
  await pair.echoes('to the flow of now')
  t.notOk(pair.atAgent.some(({ payload }) => String(payload) === 'to the flow of before'))
})

t.test('a new link while a stream is in use: another stream takes over', async (t) => {
  const pair = await startPair(t)
  pair.way.blocked = true
  pair.attach()
  await pair.onPath('stream')
  await pair.echoes('first')
  pair.attach()
  await pair.echoes('second')
  await until(() => pair.sockets.size === 1, 'only the new stream')
  t.same(pair.agentPaths, ['stream'])
})

t.test('whoever has other secrets gets in by neither way', async (t) => {
  const pair = await startPair(t)
  const secrets = makeSecrets()
  for (const wrong of [
    { ...secrets, ticket: 'another' },
    { ...secrets, salt: Buffer.alloc(32) },
    { ...secrets, exporter: Buffer.alloc(32) },
  ]) {
    const refused = pair.streamsRefused
    const { forged } = pair.endpoint.dropped
    pair.attach(secrets, wrong)
    await until(() => pair.endpoint.dropped.forged > forged, 'a packet refused')
    await until(() => pair.streamsRefused > refused, 'a stream refused')
    t.equal(pair.agent.path, undefined)
    t.equal(pair.relay.path, undefined)
  }
})

t.test('closed is closed', async (t) => {
  const pair = await startOnUdp(t)
  pair.relay.close()
  t.equal(pair.relay.path, undefined)
  t.equal(pair.relay.send(4, 1, Buffer.alloc(1)), false)
  const { unknown } = pair.endpoint.dropped
  await until(() => {
    pair.agent.send(4, 1, Buffer.alloc(1))
    return pair.endpoint.dropped.unknown > unknown
  }, 'its packets are of no channel')
  pair.agent.close()
  t.equal(pair.agent.send(4, 1, Buffer.alloc(1)), false)
  pair.attach()
  t.equal(pair.agent.path, undefined)
})

t.test(
  'what is sent between the keys of one process of the relay and those of the next waits, the newest of it',
  async (t) => {
    const pair = await startOnUdp(t)
    pair.agent.hold()
    for (let index = 0; index < 300; index += 1) pair.agent.send(4, index, Buffer.from('held'))
    t.equal(pair.atRelay.length, 0)
    pair.attach()
    await until(() => pair.atRelay.length === 256, 'what was held')
    t.same(
      pair.atRelay.map(({ flow }) => flow),
      Array.from({ length: 256 }, (_, index) => 44 + index),
      'in their order',
    )
  },
)

t.test('what waits for keys that do not come is not kept for ever', async (t) => {
  const pair = await startOnUdp(t)
  pair.agent.hold()
  pair.agent.send(4, 7, Buffer.from('held'))
  await until(() => pair.atRelay.some(({ flow }) => flow === 7), 'it goes as before')
})
