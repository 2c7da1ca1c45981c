import t from 'tap'
import { udpSocket, until } from '../support.js'
import { startOnUdp } from './channel-pair.js'

t.test('who sends a copy of a packet sooner gets little of what is meant for the agent', async (t) => {
  // A standstill of this process is not to be taken for a loss.
  const pair = await startOnUdp(t, { timings: { lostMs: 5_000 } })
  await pair.echoes('before')
  const thief = await udpSocket(t)
  let stolen = 0
  let asked = 0
  thief.on('message', (packet) => {
    stolen += packet.length
    asked += 1
  })
  // A packet that the relay has not seen yet, and no other of the agent's comes after it.
  pair.way.blockedToRelay = true
  const { length } = pair.way.seen
  pair.agent.send(4, 7, Buffer.from('a copy'))
  await until(() => pair.way.seen.length > length, 'a packet to copy')
  pair.atAgent.length = 0
  await until(() => {
    thief.send(pair.way.seen.at(-1) ?? Buffer.alloc(0), pair.way.relayPort, '127.0.0.1')
    return asked > 0
  }, 'the thief is asked')
  pair.atAgent.length = 0
  const count = 400
  for (let index = 0; index < count; index += 1) {
    pair.relay.send(4, 8, Buffer.alloc(1_000, index))
    if (index % 20 === 19) await new Promise((resolve) => setImmediate(resolve))
  }
  const got = () => pair.atAgent.filter(({ flow }) => flow === 8).length
  await until(() => got() >= count - 66, 'the rest comes to the agent')
  t.ok(stolen < 70_000, `${stolen} bytes`)
  t.ok(stolen > 50_000, 'so much goes to whoever is new, since it is rather a NAT')
  pair.way.blockedToRelay = false
  await pair.echoes('after')
})

t.test('an address that has answered gets all of a burst', async (t) => {
  // A standstill of this process is not to be taken for a loss.
  const pair = await startOnUdp(t, { timings: { lostMs: 5_000 } })
  await pair.echoes('before')
  await pair.way.rebind()
  await pair.echoes('after')
  await until(() => pair.relay.packetBytes > 1_200, 'the new address has answered')
  pair.echo = false
  pair.atAgent.length = 0
  for (let index = 0; index < 300; index += 1) {
    pair.relay.send(4, 8, Buffer.alloc(1_000, index))
    if (index % 20 === 19) await new Promise((resolve) => setImmediate(resolve))
  }
  await until(() => pair.atAgent.filter(({ flow }) => flow === 8).length === 300, 'all of them')
})

for (const toward of ['agent', 'relay'] as const)
  t.test(
    `a path that takes only smaller packets of a sudden, toward the ${toward}: datagrams flow again`,
    async (t) => {
      const pair = await startOnUdp(t, { timings: { checkEveryMs: 1_000, lostMs: 9_000 } })
      const [from, arrived] = toward === 'agent' ? [pair.relay, pair.atAgent] : [pair.agent, pair.atRelay]
      await until(() => from.packetBytes > 60_000, 'large packets')
      const timer = setInterval(() => {
        for (let index = 0; index < 20; index += 1) from.send(4, 8, Buffer.alloc(1_000))
      }, 20)
      t.teardown(() => clearInterval(timer))
      await until(() => arrived.length > 500, 'they flow')
      pair.way.weather.maxBytes = 1_300
      const fell = performance.now()
      const { length } = arrived
      await until(() => arrived.length > length + 100, 'again')
      const afterMs = performance.now() - fell
      t.ok(afterMs < 3_000, `${Math.round(afterMs)} ms`)
      t.equal(from.path, 'udp')
      delete pair.way.weather.maxBytes
    },
  )
