import { once } from 'node:events'
import type { Socket } from 'node:net'
import t from 'tap'
import { type AgentEvents, LOOPBACK_RULES, parseAllowRule } from '../../dist/index.js'
import { freePort } from '../free-port.js'
import {
  allocation,
  dial,
  ending,
  portOf,
  readBytes,
  startAgent,
  startEcho,
  startRelay,
  startUdpEcho,
  udpSocket,
  until,
} from '../support.js'

async function echoes(player: Socket): Promise<boolean> {
  player.write('hello')
  return String(await readBytes(player, 5)) === 'hello'
}

t.test('rules hold for players who come after, those who are here stay, and nothing is said', async (t) => {
  const relay = await startRelay(t)
  const agent = await startAgent(t, relay, { allow: [] })
  const told: (keyof AgentEvents)[] = []
  for (const event of ['rejected', 'recovered'] as const) agent.on(event, () => told.push(event))
  const { port } = await startEcho(t)
  await relay.apply({ revision: 1, allocations: [allocation(1, port)] })
  const publicPort = portOf(relay, 1)
  await ending(await dial(t, publicPort))
  await until(() => told.length === 1)
  t.match(agent.refusals(), [{ error: 'target_forbidden' }])
  agent.setAllow(LOOPBACK_RULES)
  t.same(agent.refusals(), [], 'what the rules of before forbade is not held against the target')
  const player = await dial(t, publicPort)
  t.ok(await echoes(player))
  agent.setAllow([parseAllowRule(`127.0.0.1:${port === 1 ? 2 : port - 1}`)])
  await ending(await dial(t, publicPort))
  await until(() => agent.refusals().length === 1)
  t.ok(await echoes(player), 'who was here before is served on')
  agent.setAllow([parseAllowRule(`127.0.0.1:${port}`)])
  t.ok(await echoes(await dial(t, publicPort)))
  t.same(told, ['rejected', 'rejected'], 'each refusal was told once')
})

t.test('datagrams likewise: a flow goes on, a new one is refused', async (t) => {
  const relay = await startRelay(t)
  const agent = await startAgent(t, relay)
  const { port } = await startUdpEcho(t)
  await relay.apply({ revision: 1, allocations: [allocation(1, port, { protocol: 'udp' })] })
  const player = await udpSocket(t)
  const plays = async () => {
    player.send('hello', portOf(relay, 1), '127.0.0.1')
    await once(player, 'message')
  }
  await plays()
  agent.setAllow([])
  await plays()
  const late = await udpSocket(t)
  late.send('hello', portOf(relay, 1), '127.0.0.1')
  await until(() => agent.refusals().length === 1)
  t.match(agent.refusals(), [{ protocol: 'udp', error: 'target_forbidden' }])
  await plays()
})

t.test('what is refused for another reason stays refused', async (t) => {
  const relay = await startRelay(t)
  const agent = await startAgent(t, relay)
  await relay.apply({ revision: 1, allocations: [allocation(1, await freePort())] })
  await ending(await dial(t, portOf(relay, 1)))
  await until(() => agent.refusals().length === 1)
  agent.setAllow(LOOPBACK_RULES)
  t.match(agent.refusals(), [{ error: 'target_refused' }])
})
