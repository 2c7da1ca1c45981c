// A machine that sleeps is dead to everybody; when it wakes, its agent is back at once.
import t from 'tap'
import { until } from '../support.js'
import { joinTcp, joinUdp, startWorld } from './world.js'

const MISSED_WITHIN_MS = 10_000
const BACK_WITHIN_MS = 5_000

t.test('an agent that is stopped and goes on', async (t) => {
  const host = '127.0.0.1'
  const world = await startWorld(t, { host })
  const { panel, relay, agent } = world
  const udp = joinUdp(t, world, host)
  const flow = await udp.echo('before')
  agent.kill('SIGSTOP')
  t.teardown(() => agent.kill('SIGCONT'))
  await Promise.all([
    until(() => panel.online() === 0, 'the panel misses it', MISSED_WITHIN_MS),
    until(() => relay.devices().length === 0, 'the relay misses it', MISSED_WITHIN_MS),
  ])
  agent.kill('SIGCONT')
  t.comment(`back after ${await until(world.isUp, 'the agent is back', BACK_WITHIN_MS)} ms`)
  t.equal(await udp.echo('after'), flow, 'a UDP player goes on in the same flow')
  const player = await joinTcp(t, world, host)
  player.say('new')
  await until(() => player.heard() === 'new', 'a new TCP player')
  t.equal(agent.exitCode, null)
})
