import t from 'tap'
import { until } from '../support.js'
import { type Stage, stages } from './stages.js'
import { createWorld, type Player } from './world.js'

/** Goes on, or has been let go. */
async function decided({ socket, received }: Player): Promise<void> {
  const before = received()
  await until(() => socket.closed || socket.readableEnded || received() > before + 100_000, 'it goes on or is let go')
}

const lively: Stage[] = ['ready, without a player', 'streaming']

for (const stage of lively) {
  t.test(`the agent stands still for longer than a link lives; a connection is ${stage}`, async (t) => {
    const world = await createWorld(t)
    const players = await stages[stage](world)
    world.agent.signal('SIGSTOP')
    await until(async () => (await world.relay.devices()).length === 0, 'the silence is noticed')
    t.match(await world.player().letGo(), /end|ECONNRESET/)
    world.agent.signal('SIGCONT')
    await Promise.all(players.map(decided))
    await world.served()
    await world.settled()
  })

  t.test(`the relay stands still for longer than a link lives; a connection is ${stage}`, async (t) => {
    const world = await createWorld(t)
    const players = await stages[stage](world)
    world.relay.signal('SIGSTOP')
    await until(async () => (await world.agent.links())[0]?.connected === false, 'the silence is noticed')
    const early = world.player('eearly')
    world.relay.signal('SIGCONT')
    await Promise.all(players.map(decided))
    await world.served()
    await until(() => early.received() === 5 || early.socket.readableEnded || early.socket.closed)
    await world.settled()
  })
}
