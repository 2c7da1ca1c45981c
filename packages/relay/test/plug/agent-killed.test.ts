import t from 'tap'
import { stageNames, stages } from './stages.js'
import { createWorld } from './world.js'

for (const stage of stageNames)
  t.test(`the agent is killed; a connection is ${stage}`, async (t) => {
    const world = await createWorld(t)
    const players = await stages[stage](world)
    await world.agent.kill()
    await Promise.all(players.map((player) => player.letGo()))
    t.match((await world.relay.status()).allocations, [{ status: 'listening' }, { status: 'listening' }])
    t.equal(await world.player().letGo(), 'end', 'held for a while and let go')
    const early = world.player('eearly')
    await world.startAgent()
    await world.served()
    t.equal(early.received(), 5, 'who came just before the agent is served')
    await world.settled()
  })
