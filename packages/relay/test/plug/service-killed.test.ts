import t from 'tap'
import { stageNames, stages } from './stages.js'
import { createWorld } from './world.js'

for (const stage of stageNames)
  t.test(`the service is killed; a connection is ${stage}`, async (t) => {
    const world = await createWorld(t)
    const players = await stages[stage](world)
    await world.service.kill()
    world.agent.signal('SIGCONT')
    await Promise.all(players.map((player) => player.letGo()))
    t.match((await world.relay.status()).allocations, [{ status: 'listening' }, { status: 'listening' }])
    t.match(await world.player().letGo(), /end|ECONNRESET/)
    await world.startService()
    await world.served()
    await world.settled()
  })
