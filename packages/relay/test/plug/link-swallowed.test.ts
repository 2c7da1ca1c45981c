import t from 'tap'
import { until } from '../support.js'
import { type Stage, stageNames, stages } from './stages.js'
import { createWorld } from './world.js'

/** Who is on a data connection that has gone silent is not missed until TCP itself gives it up. */
const notYet: Stage[] = ['streaming', 'half closed']

for (const stage of stageNames) {
  const todo = notYet.includes(stage) && 'data connections have no sign of life of their own'
  t.test(`the network between agent and relay goes silent; a connection is ${stage}`, { todo }, async (t) => {
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
  })
}
