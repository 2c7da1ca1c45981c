import { createSocket, type Socket as UdpSocket } from 'node:dgram'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { freePort } from '../free-port.js'
import { type LinkProxy, startLinkProxy } from '../programs/link-proxy.js'
import {
  type AgentProgram,
  linkedPrograms,
  Program,
  type RelayProgram,
  startAgentProgram,
  startRelayProgram,
} from '../programs/programs.js'
import { allocation, until } from '../support.js'

/** Of these limits: a dead link is noticed, its player held for another and then for a data connection; and twice that on a busy machine. */
export const LET_GO_MS = 8_000
const relayLimits = {
  heartbeatMs: 200,
  linkTimeoutMs: 600,
  // An agent that was just started has to link meanwhile.
  linkWaitMs: 2_000,
  openTimeoutMs: 600,
  handshakeTimeoutMs: 1_000,
  orphanTimeoutMs: 1_000,
}
const agentLimits = {
  maxHeartbeatMs: 200,
  linkTimeoutMs: 600,
  relayTimeoutMs: 600,
  targetTimeoutMs: 600,
  orphanTimeoutMs: 1_000,
  retryMinMs: 20,
  retryMaxMs: 200,
}

/** A player's TCP connection. */
export interface Player {
  socket: Socket
  received: () => number
  /** How it was let go: 'end', 'close' or an error's code; rejects after `LET_GO_MS` from the call. */
  letGo(): Promise<string>
}

export interface World {
  relay: RelayProgram
  agent: AgentProgram
  service: Program
  proxy: LinkProxy
  tcpPort: number
  udpPort: number
  /** A new process with a new ticket. `first` runs when it is there and has not dialled yet. */
  startAgent(first?: () => void): Promise<void>
  startRelay(): Promise<void>
  startService(): Promise<void>
  /** `says` goes out with the connect. */
  player(says?: string): Player
  /** Until a new player, and the datagrams of the one who was there before, are answered. */
  served(): Promise<void>
  /** Nobody is counted any more, at either end, and nothing fell over. */
  settled(): Promise<void>
}

/** Relay, agent and service, each a process of its own, with a network between relay and agent; a TCP and a UDP allocation. */
export async function createWorld(t: Test): Promise<World> {
  const directory = await mkdtemp(join(tmpdir(), 'sallyport-plug-'))
  t.teardown(() => rm(directory, { recursive: true, force: true }))
  const dataPort = await freePort()
  const servicePort = await freePort()
  const tcpPort = await freePort()
  const udpPort = await freePort()
  const datagrams = await udpPlayer(t, udpPort)
  const proxy = await startLinkProxy(t, dataPort)
  const programs: Program[] = []
  const players: Player[] = []

  const startRelay = async () => {
    world.relay = await startRelayProgram(t, { dataPort, storage: join(directory, 'relay.json'), limits: relayLimits })
    programs.push(world.relay)
  }
  const startAgent = async (first: () => void = () => {}) => {
    world.agent = await startAgentProgram(t, { limits: agentLimits })
    programs.push(world.agent)
    first()
    await world.agent.connect({ ...(await world.relay.address()), port: proxy.port })
  }
  const startService = async () => {
    world.service = new Program(t, './service-program.js', { port: servicePort })
    programs.push(world.service)
    await world.service.ready()
  }
  const player = (says = 'e') => {
    const one = createPlayer(t, tcpPort, says)
    players.push(one)
    return one
  }
  const served = async () => {
    await until(() => isAnswered(player('ehello')), 'a new player is served')
    await until(() => datagrams.isAnswered(), 'datagrams are answered')
  }
  const tcpOpen = async () => (await world.relay.traffic()).find(({ allocationId }) => allocationId === 1)?.open
  const settled = async () => {
    for (const { socket } of players) socket.destroy()
    await until(async () => (await tcpOpen()) === 0, 'the relay counts nobody')
    for (const program of programs) t.equal(program.stderr, '')
    t.ok(world.relay.alive && world.agent.alive, 'nothing fell over')
  }
  const rest = { startAgent, startRelay, startService, player, served, settled }
  const world = { proxy, tcpPort, udpPort, ...rest } as World
  await Promise.all([startService(), startRelay()])
  await world.relay.apply({
    revision: 1,
    allocations: [
      allocation(1, servicePort, { port: tcpPort }),
      allocation(2, servicePort, { port: udpPort, protocol: 'udp' }),
    ],
  })
  await startAgent()
  await linkedPrograms(world.relay, world.agent)
  await served()
  await until(async () => (await tcpOpen()) === 0, 'the first player has left')
  return world
}

function createPlayer(t: Test, port: number, says: string): Player {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  t.teardown(() => socket.destroy())
  let received = 0
  const how = new Promise<string>((resolve) => {
    socket.on('data', (chunk: Buffer) => {
      received += chunk.length
    })
    socket.on('end', () => resolve('end'))
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'error'))
    socket.on('close', () => resolve('close'))
  })
  socket.write(says)
  const letGo = () => {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`not let go within ${LET_GO_MS} ms`)), LET_GO_MS)
    })
    return Promise.race([how, late]).finally(() => clearTimeout(timer))
  }
  return { socket, received: () => received, letGo }
}

async function isAnswered({ socket, received, letGo }: Player): Promise<boolean> {
  const answered = new Promise<boolean>((resolve) => socket.on('data', () => resolve(received() >= 'hello'.length)))
  const is = await Promise.race([answered, letGo().then(() => false)])
  socket.destroy()
  return is
}

/** One player's datagrams, all from one port. */
async function udpPlayer(t: Test, port: number): Promise<{ isAnswered(): Promise<boolean> }> {
  const socket: UdpSocket = createSocket('udp4')
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  t.teardown(() => socket.close())
  let round = 0
  return {
    isAnswered: () =>
      new Promise((resolve) => {
        round += 1
        const asked = `round ${round}`
        const done = (is: boolean) => {
          clearTimeout(timer)
          socket.off('message', take)
          resolve(is)
        }
        const take = (payload: Buffer) => {
          if (String(payload) === asked) done(true)
        }
        const timer = setTimeout(() => done(false), 300)
        socket.on('message', take)
        socket.send(asked, port, '127.0.0.1')
      }),
  }
}
