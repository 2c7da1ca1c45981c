import t from 'tap'
import { until } from '../support.js'
import { stageNames, stages } from './stages.js'
import { createWorld, LET_GO_MS } from './world.js'

for (const stage of stageNames)
  t.test(`the network between agent and relay goes silent; a connection is ${stage}`, async (t) => {
    const world = await createWorld(t)
    const players = await stages[stage](world)
    world.proxy.swallow()
    world.agent.signal('SIGCONT')
    t.match(await world.player().letGo(), /end|ECONNRESET/, 'a new player is let go')
    if (stage === 'asked for') await Promise.all(players.map((player) => player.letGo()))
    await until(async () => (await world.relay.devices()).length === 0, 'the silence is noticed')
    t.match((await world.relay.status()).allocations, [{ status: 'listening' }, { status: 'listening' }])
    world.proxy.restore()
    await world.served()
    await world.settled()
    t.ok(LET_GO_MS)
  })
