import t from 'tap'
import { stageNames, stages } from './stages.js'
import { createWorld } from './world.js'

for (const stage of stageNames)
  t.test(`the link is cut; a connection is ${stage}`, async (t) => {
    const world = await createWorld(t)
    const players = await stages[stage](world)
    world.proxy.cut()
    world.agent.signal('SIGCONT')
    // Who still waited may be served by the next link.
    if (stage === 'asked for') for (const { socket } of players) socket.end()
    await Promise.all(players.map((player) => player.letGo()))
    await world.served()
    await world.settled()
  })
