import t from 'tap'
import { until } from '../support.js'
import { stageNames, stages } from './stages.js'
import { createWorld, type Player } from './world.js'

for (const stage of stageNames)
  t.test(`the agent is killed; a connection is ${stage}`, async (t) => {
    const world = await createWorld(t)
    const players = await stages[stage](world)
    await world.agent.kill()
    await Promise.all(players.map((player) => player.letGo()))
    t.match((await world.relay.status()).allocations, [{ status: 'listening' }, { status: 'listening' }])
    t.equal(await world.player().letGo(), 'ECONNRESET', 'held for a while and let go')
    const early: Player[] = []
    await world.startAgent(() => early.push(world.player('eearly')))
    await until(() => early[0]?.received() === 5, 'who came just before the agent is served')
    await world.served()
    await world.settled()
  })
