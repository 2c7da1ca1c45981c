import t from 'tap'
import { LargeDatagrams } from '../../dist/flows/large-datagrams.js'
import { portOf, startTunnel, udpSocket, until } from '../support.js'

const turn = () => new Promise((resolve) => setImmediate(resolve))

t.test('a flow has a share of each turn, and all flows of a port twice that', async (t) => {
  const large = new LargeDatagrams<string>(100_000)
  t.same(
    [60_000, 60_000, 40_000, 1].map((bytes) => large.takes('a', bytes)),
    [true, false, true, false],
  )
  t.equal(large.takes('b', 65_000), true, 'another has its own')
  t.equal(large.takes('c', 65_000), false, 'the port is full')
  t.equal(large.takes('c', 30_000), true)
  await turn()
  t.equal(large.takes('c', 65_000), true, 'until the next turn')
  large.close()
  t.equal(new LargeDatagrams<string>(4_096).takes('a', 65_507), true, 'the first always passes')
})

t.test('of a burst of the largest datagrams few go on, and all of another player’s small ones', async (t) => {
  const target = await udpSocket(t)
  const heard = { large: 0, small: 0 }
  target.on('message', ({ length }) => {
    if (length > 60_000) heard.large += 1
    else if (length === 100) heard.small += 1
  })
  const { relay } = await startTunnel(t, target.port, { allocation: { protocol: 'udp' } })
  const port = portOf(relay, 1)
  const [hostile, player] = [await udpSocket(t), await udpSocket(t)]
  hostile.send('first', port, '127.0.0.1')
  player.send('first', port, '127.0.0.1')
  await until(() => relay.traffic()[0]?.open === 2, 'both are there')
  const rounds = 20
  for (let round = 0; round < rounds; round += 1) {
    for (let n = 0; n < 12; n += 1) hostile.send(Buffer.alloc(65_507), port, '127.0.0.1')
    player.send(Buffer.alloc(100), port, '127.0.0.1')
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  await until(() => heard.small === rounds, 'every small one')
  t.ok(heard.large > 0 && heard.large <= rounds * 8, `${heard.large} of ${rounds * 12} large ones`)
})
