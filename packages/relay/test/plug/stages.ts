import { until } from '../support.js'
import type { Player, World } from './world.js'

/** Where a connection can be when the plug is pulled. Each gives the players that are there. */
export const stages = {
  'ready, without a player': async () => [],
  /** Asked for and not there: more than any pool has ready. */
  'asked for': async (world) => {
    world.agent.signal('SIGSTOP')
    const players = Array.from({ length: 8 }, () => world.player('early'))
    await until(() => players.every(({ socket }) => socket.readyState === 'open' && socket.writableLength === 0))
    return players
  },
  streaming: async (world) => {
    const players = [world.player('p'), world.player('e')]
    const [, echoing] = players
    const talk = () => echoing?.socket.writable && echoing.socket.write(Buffer.alloc(16_384), () => setImmediate(talk))
    talk()
    await until(() => players.every(({ received }) => received() > 100_000))
    return players
  },
  'half closed': async (world) => {
    const player = world.player('p')
    player.socket.end()
    const others = world.player('eall')
    await until(() => player.socket.writableFinished && player.received() > 20_000 && others.received() === 3)
    return [player, others]
  },
} satisfies Record<string, (world: World) => Promise<Player[]>>

export type Stage = keyof typeof stages
export const stageNames: Stage[] = Object.keys(stages) as Stage[]
