import t from 'tap'
import { linkedPrograms } from '../programs/programs.js'
import { until } from '../support.js'
import { createWorld, type Player } from './world.js'

t.test('players who come before the first link are held, let go, and served when it is there', async (t) => {
  const world = await createWorld(t)
  await world.agent.kill()
  await until(async () => (await world.relay.devices()).length === 0)
  const players = [world.player('early'), world.player('early'), world.player('early')]
  for (const player of players) t.equal(await player.letGo(), 'ECONNRESET')
  const early: Player[] = []
  await world.startAgent(() => early.push(world.player('eearly')))
  await until(() => early[0]?.received() === 5)
  await world.served()
  await world.settled()
})

t.test('a link that is never answered: the agent tries again, players are let go meanwhile', async (t) => {
  const world = await createWorld(t)
  await world.agent.kill()
  world.proxy.swallow()
  await world.startAgent()
  t.equal(await world.player().letGo(), 'ECONNRESET')
  world.proxy.restore()
  await linkedPrograms(world.relay, world.agent)
  await world.served()
  await world.settled()
})

for (const who of ['agent', 'relay'] as const)
  t.test(`the ${who} is killed while the link is being made`, async (t) => {
    const world = await createWorld(t)
    await world.agent.kill()
    world.proxy.swallow()
    await world.startAgent()
    const player = world.player()
    await world[who].kill()
    await player.letGo()
    world.proxy.restore()
    if (who === 'relay') await world.startRelay()
    else await world.startAgent()
    await linkedPrograms(world.relay, world.agent)
    await world.served()
    await world.settled()
  })
