import t from 'tap'
import { allocation, portOf, startAgent, startTunnel, startUdpEcho, udpSocket, until } from '../support.js'

t.test('a source has one flow at a time and the open count is what the events say, whatever ends flows', async (t) => {
  const target = await startUdpEcho(t)
  const other = await startUdpEcho(t)
  const { relay, port, agent } = await startTunnel(t, target.port, {
    allocation: { protocol: 'udp' },
    relay: { limits: { udpIdleMs: 60, udpUnansweredMs: 60, maxUdpFlowsPerAllocation: 3, linkWaitMs: 500 } },
  })
  const open = new Set<number>()
  const wrong: string[] = []
  let opened = 0
  let replaced = 0
  relay.on('connection', ({ phase, remotePort, reason }) => {
    if (phase === 'open') {
      opened += 1
      if (open.has(remotePort)) wrong.push(`${remotePort} has two`)
      open.add(remotePort)
    } else if (phase === 'close') open.delete(remotePort)
    if (reason === 'busy') replaced += 1
    const counted = relay.traffic()[0]?.open
    if (counted !== open.size) wrong.push(`${phase}: ${counted} counted, ${open.size} open`)
  })
  const players = await Promise.all(Array.from({ length: 6 }, () => udpSocket(t)))
  const timer = setInterval(() => {
    const player = players[Math.floor(Math.random() * players.length)]
    for (let n = 0; n < 2; n += 1) player?.send('x', port, '127.0.0.1')
  }, 3)
  t.teardown(() => clearInterval(timer))
  let revision = 2
  const steps = [
    () => relay.apply({ revision: revision++, allocations: [allocation(1, other.port, { protocol: 'udp' })] }),
    async () => {
      await agent.stop()
      await startAgent(t, relay)
    },
    () => relay.apply({ revision: revision++, allocations: [allocation(1, target.port, { protocol: 'udp' })] }),
  ]
  for (const step of steps) {
    const before = opened
    await until(() => opened >= before + 10, 'flows come and go')
    await step()
  }
  await until(() => opened >= 60, 'many flows')
  clearInterval(timer)
  await until(() => open.size === 0, 'all are over')
  t.equal(relay.traffic()[0]?.open, 0)
  t.same(wrong, [])
  t.comment(`${opened} opened, ${replaced} made room`)
  t.equal(portOf(relay, 1), port)
})
