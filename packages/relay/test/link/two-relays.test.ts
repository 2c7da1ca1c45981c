import t from 'tap'
import { createAgent } from '../../dist/index.js'
import {
  addressOf,
  allocation,
  dial,
  linked,
  portOf,
  readBytes,
  startEcho,
  startRelay,
  startUdpEcho,
  udpSocket,
  until,
} from '../support.js'

t.test('a relay that takes whatever an agent has leaves the players of another their part', async (t) => {
  const { port: target } = await startEcho(t)
  const udpTarget = await startUdpEcho(t)
  const greedy = await startRelay(t, { id: 'greedy', limits: { minReadyPerDevice: 256 } })
  const modest = await startRelay(t, { id: 'modest' })
  const agent = createAgent({ limits: { maxConnections: 64 } })
  t.teardown(() => agent.stop())
  agent.connect(addressOf(greedy))
  agent.connect(addressOf(modest))
  await linked(greedy, agent)
  await until(() => agent.links().every(({ connected }) => connected))
  await greedy.apply({ revision: 1, allocations: [allocation(1, target)] })
  await until(() => greedy.statistics().readyConnections === 48, 'all but what is kept for the other')
  await modest.apply({
    revision: 1,
    allocations: [allocation(1, target), allocation(2, udpTarget.port, { protocol: 'udp' })],
  })
  for (let n = 0; n < 8; n += 1) {
    const player = await dial(t, portOf(modest, 1))
    player.write('here')
    t.equal(String(await readBytes(player, 4)), 'here')
  }
  const player = await udpSocket(t)
  let heard = false
  player.on('message', () => {
    heard = true
  })
  await until(() => {
    player.send('here too', portOf(modest, 2), '127.0.0.1')
    return heard
  })
  t.equal(greedy.statistics().readyConnections, 48)
  agent.disconnect(modest.id)
})
