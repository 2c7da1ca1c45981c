import t from 'tap'
import { linkedPrograms } from '../programs/programs.js'
import { stageNames, stages } from './stages.js'
import { createWorld } from './world.js'

for (const stage of stageNames)
  t.test(`the relay is killed; a connection is ${stage}`, async (t) => {
    const world = await createWorld(t)
    const players = await stages[stage](world)
    await world.relay.kill()
    await Promise.all(players.map((player) => player.letGo()))
    world.agent.signal('SIGCONT')
    await world.startRelay()
    await linkedPrograms(world.relay, world.agent)
    await world.served()
    await world.settled()
  })
