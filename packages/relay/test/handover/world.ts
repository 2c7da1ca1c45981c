import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import type { AgentRelay, AllocationTraffic, RelayDevice, RelayStatus } from '../../dist/index.js'
import { freePort } from '../free-port.js'
import type { HandoverOptions } from '../programs/handover-program.js'
import { type AgentProgram, Program, startAgentProgram } from '../programs/programs.js'
import { allocation, DEVICE, startEcho, until } from '../support.js'
import type { Door } from './players.js'

interface Teardown {
  teardown(handler: () => unknown): void
}

export const TCP = 1
export const UDP = 2

/** A relay in a process of its own, whose successors are its children; asked at any depth. */
export class RelayLine {
  readonly program: Program

  constructor(program: Program) {
    this.program = program
  }

  /** @param generation 0: the first process, 1: its successor, and so on */
  ask<T>(generation: number, method: string, ...args: unknown[]): Promise<T> {
    const path: unknown[] = [...Array.from({ length: generation }, () => 'heir'), method, ...args]
    return this.program.ask<T>(path[0] as string, ...path.slice(1))
  }

  async ports(generation = 0): Promise<{ tcp: number; udp: number }> {
    const { allocations } = await this.ask<RelayStatus>(generation, 'status')
    const of = (id: number) => {
      const found = allocations.find(({ allocationId }) => allocationId === id)
      if (found?.status !== 'listening') throw new Error(`allocation ${id} is ${found?.status} ${found?.error}`)
      return found.port
    }
    return { tcp: of(TCP), udp: of(UDP) }
  }

  async traffic(generation: number, id: number): Promise<AllocationTraffic> {
    const found = (await this.ask<AllocationTraffic[]>(generation, 'traffic')).find((one) => one.allocationId === id)
    if (found === undefined) throw new Error(`nothing is counted for allocation ${id}`)
    return found
  }

  async unlinked(generation: number): Promise<void> {
    await until(async () => (await this.ask<RelayDevice[]>(generation, 'devices')).length === 0, 'no link')
  }

  async linked(generation: number): Promise<void> {
    await until(async () => (await this.ask<RelayDevice[]>(generation, 'devices')).length === 1, 'the link')
  }
}

export interface World {
  line: RelayLine
  agent: AgentProgram
  tcp: Door
  udp: Door
}

/** Relay and agent in processes of their own, TCP and UDP echoes here. @param more of what agents need, that the relay does not say */
export async function startWorld(
  t: Teardown,
  { bindHost = '127.0.0.1', ...options }: Partial<HandoverOptions> = {},
  more: Partial<AgentRelay> = {},
): Promise<World> {
  const echo = await startEcho(t)
  const datagrams = createSocket('udp4')
  datagrams.on('message', (payload, from) => datagrams.send(payload, from.port, from.address))
  datagrams.bind(0, '127.0.0.1')
  await once(datagrams, 'listening')
  t.teardown(() => datagrams.close())
  const program = new Program(t, './handover-program.js', { bindHost, ...options })
  await program.ready()
  const line = new RelayLine(program)
  const allocations = [
    allocation(TCP, echo.port, { port: await freePort() }),
    allocation(UDP, datagrams.address().port, { port: await freePort(), protocol: 'udp' }),
  ]
  await line.ask(0, 'apply', { revision: 1, allocations })
  const agent = await startAgentProgram(t)
  await agent.connect({ ...(await line.ask<AgentRelay>(0, 'address', DEVICE)), host: bindHost, ...more })
  await line.linked(0)
  const { tcp, udp } = await line.ports()
  return { line, agent, tcp: { port: tcp, host: bindHost }, udp: { port: udp, host: bindHost } }
}
