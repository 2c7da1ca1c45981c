// One panel of three is killed: what it had is with the others before anybody has to ask.
import t from 'tap'
import { until } from '../../support/deadline.js'
import { inParallel } from '../../support/parallel.js'
import { withoutPostgres, withoutRedis } from '../../support/real-servers.js'
import { startAgent, startLinklessAgent } from '../../support/tunnel/agents.js'
import { startBalancer } from '../../support/tunnel/balancer.js'
import { newAllocation, newDevice, onlineDevices, relays, setQuotas } from '../../support/tunnel/devices.js'
import { portOf, startFleet } from '../../support/tunnel/fleet.js'
import { echoService, join, listens } from '../../support/tunnel/players.js'
import { startRelayProgram } from '../../support/tunnel/relay-program.js'

const agentCount = 30
/** As the goal is written. */
const backWithinMs = 3_000

t.test('the agents of a killed panel are served by others', { skip: withoutPostgres || withoutRedis }, async (t) => {
  const fleet = await startFleet(t)
  const [victim, survivor] = [fleet.panel(0), fleet.panel(1)]
  // Each look for one that is open makes another.
  await setQuotas(victim, { allocationsPerUser: 1_000 })
  // The victim steers it, as long as it lives.
  const relayBalancer = await startBalancer(t, fleet.panels.map(portOf), false)
  const relay = await startRelayProgram(t, victim, { panelUrl: relayBalancer.url })
  const localPort = await echoService(t)
  const device = await newDevice(victim)
  const { port } = await newAllocation(victim, device, { localPort })
  await startAgent(t, fleet.balancer.url, device.token).ready()
  const player = await join(t, port)
  await player.echo('before')

  const devices = await inParallel(agentCount, 2, () => newDevice(victim))
  const channels = devices.map(({ token }) => startLinklessAgent(t, fleet.balancer.url, token))
  const allOnline = async (panel = survivor) => {
    const online = await onlineDevices(panel)
    return [...devices, device].every(({ id }) => online.has(id))
  }
  await until('all are online', allOnline)

  const had = fleet.balancer.standing(portOf(victim))
  t.ok(had > 0, `the victim has ${had} connections`)
  const killed = performance.now()
  const dropped = new Set<number>()
  const back: number[] = []
  for (const [index, channel] of channels.entries()) {
    channel.on('disconnected', ({ wasConnected }) => wasConnected && dropped.add(index))
    channel.on('connected', () => back.push(performance.now() - killed))
  }
  await victim.program.stop('SIGKILL')
  await until('the channels break off', () => dropped.size > 0)
  await until('all channels stand again', () => channels.every(({ connected }) => connected))
  t.comment(`${dropped.size} agents, the last back after ${Math.round(Math.max(...back))} ms`)
  t.ok(Math.max(...back) < backWithinMs, `all are back within ${backWithinMs} ms: ${Math.round(Math.max(...back))}`)

  const living = fleet.panels.filter((panel) => panel !== victim)
  for (const panel of living) await until('all are shown online', () => allOnline(panel))
  await player.echo('after')
  t.notOk(player.isGone(), 'the player noticed nothing')
  for (const panel of living) {
    const made = await until('a new allocation', async () => {
      const answer = await newAllocation(panel, device, { localPort })
      return answer.status === 'open' && answer
    })
    t.ok(await listens(made.port))
    const newcomer = await join(t, made.port)
    await newcomer.echo('new')
  }
  for (const panel of living) {
    await until('the relay is online', async () =>
      (await relays(panel)).some(({ id, online }) => id === relay.device.id && online),
    )
  }
})
