import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { skipWithout } from '@sallyport/core/testing'
import type { Test } from 'tap'
import { until } from './deadline.js'
import { type Program, startProgram } from './program.js'
import { somePorts } from './tunnel/fleet.js'

/** Where Debian puts games is on nobody's PATH but a person's. */
const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/games']
const find = (name: string) => folders.map((folder) => join(folder, name)).find((file) => existsSync(file))

const server = find('cube2-server')
const client = find('quakestat')
const missing = [server === undefined ? 'cube2-server' : [], client === undefined ? 'quakestat' : []].flat()

/** What tap's `skip` takes. The server is Cube 2: Sauerbraten's own, the client is qstat. */
export const withoutGame: string | false = skipWithout(
  'A UDP game server with a client',
  missing.length === 0 ? undefined : `no ${missing.join(' and no ')} is on the PATH`,
)

export interface GameServer {
  readonly name: string
  readonly maxPlayers: number
  /** Where it answers questions about itself. */
  readonly queryPort: number
}

/** A Cube 2 server that tells no list of servers about itself, and goes with the test. */
export async function startGameServer(t: Test, name: string, maxPlayers: number): Promise<GameServer> {
  const port = await freePair()
  const args = [`-n${name}`, '-i127.0.0.1', `-j${port}`, `-c${maxPlayers}`, '-m']
  const program: Program = startProgram(server ?? '', args)
  t.teardown(() => program.stop('SIGKILL'))
  const game = { name, maxPlayers, queryPort: port + 1 }
  await until('the game server', () => {
    if (program.child.exitCode !== null) throw new Error(`it ended: ${program.stdout}${program.stderr}`)
    return queryGame(game.queryPort)
  })
  return game
}

interface GameInfo {
  readonly status: string
  readonly name: string
  readonly numplayers: number
  readonly maxplayers: number
}

/** What qstat says of the server behind this port; undefined when it got no answer. */
export async function queryGame(queryPort: number): Promise<GameInfo | undefined> {
  // It is told the port that is played on; questions go to the next.
  const program = startProgram(client ?? '', [
    '-json',
    '-retry',
    '1',
    '-timeout',
    '2',
    '-cubes',
    `127.0.0.1:${queryPort - 1}`,
  ])
  await program.exited
  const [answer] = JSON.parse(program.stdout) as GameInfo[]
  return answer?.status === 'online' ? answer : undefined
}

/** A UDP port that is free, and so is the one after it; the system gives them to nobody in the meantime. */
async function freePair(): Promise<number> {
  for (;;) {
    const sockets = [createSocket('udp4'), createSocket('udp4')] as const
    const bound = async (at: 0 | 1, port: number) => {
      sockets[at].bind(port, '127.0.0.1')
      await once(sockets[at], 'listening')
      return sockets[at].address().port
    }
    try {
      const port = await bound(0, somePorts(2).from)
      await bound(1, port + 1)
      return port
    } catch {
      // The next one is taken.
    } finally {
      for (const socket of sockets) socket.close()
    }
  }
}
