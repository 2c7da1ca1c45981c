import t from 'tap'
import { until } from '../support.js'
import { stageNames, stages } from './stages.js'
import { createWorld } from './world.js'

for (const stage of stageNames) {
  t.test(`the network between agent and relay goes silent; a connection is ${stage}`, async (t) => {
    const world = await createWorld(t)
    const players = await stages[stage](world)
    world.proxy.swallow()
    world.agent.signal('SIGCONT')
    t.match(await world.player().letGo(), /end|ECONNRESET/, 'a new player is let go')
    t.match(
      await Promise.all(players.map((player) => player.letGo())),
      players.map(() => /end|ECONNRESET/),
    )
    await until(async () => (await world.relay.devices()).length === 0, 'the silence is noticed')
    await until(async () => (await world.agent.open()) <= 1, 'the agent counts nobody but who sends datagrams')
    t.match((await world.relay.status()).allocations, [{ status: 'listening' }, { status: 'listening' }])
    world.proxy.restore()
    await world.served()
    await world.settled()
  })
}
