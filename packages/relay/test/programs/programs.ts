import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type {
  AgentLinkStatus,
  AgentOptions,
  AgentRelay,
  AllocationTraffic,
  RelayDevice,
  RelayEvents,
  RelayOptions,
  RelayState,
  RelayStatus,
} from '../../dist/index.js'
import { DEVICE, until, within } from '../support.js'

interface Teardown {
  teardown(handler: () => unknown): void
}

type Answer = { id: number; value?: unknown; error?: string } | { event: string; payload: unknown }

/** A child process that answers by name. */
export class Program {
  readonly child: ChildProcess
  /** What it said on standard error, where Node says what it dies of. */
  stderr = ''
  readonly #asked: Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }> = new Map()
  readonly #handlers: Map<string, (payload: never) => void> = new Map()
  #lastId = 0

  constructor(t: Teardown, file: string, options: unknown) {
    this.child = fork(fileURLToPath(new URL(file, import.meta.url)), [JSON.stringify(options)], {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      // A bound on the young generation, so that the resident memory says something.
      execArgv: ['--max-semi-space-size=4'],
      env: { PATH: process.env['PATH'] },
    })
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text
    })
    this.child.on('message', (answer: Answer) => this.#take(answer))
    this.child.on('exit', () => {
      for (const { reject } of this.#asked.values()) reject(new Error(`the program ended: ${this.stderr}`))
      this.#asked.clear()
    })
    t.teardown(() => this.kill())
  }

  get alive(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null
  }

  ready(): Promise<void> {
    const ended = once(this.child, 'exit').then(() => {
      throw new Error(`the program ended: ${this.stderr}`)
    })
    const ready = new Promise<void>((resolve) => this.on('ready', () => resolve()))
    return within(Promise.race([ready, ended]), 'the program')
  }

  ask<T>(method: string, ...args: unknown[]): Promise<T> {
    if (!this.alive) return Promise.reject(new Error(`the program ended: ${this.stderr}`))
    this.#lastId += 1
    const id = this.#lastId
    const answer = new Promise<T>((resolve, reject) => this.#asked.set(id, { resolve, reject }))
    this.child.send({ id, method, args })
    return within(answer, method).finally(() => this.#asked.delete(id))
  }

  on(event: string, handler: (payload: never) => void): void {
    this.#handlers.set(event, handler)
  }

  signal(name: 'SIGSTOP' | 'SIGCONT'): void {
    this.child.kill(name)
  }

  /** As by `kill -9`; resolves when it is gone. */
  async kill(): Promise<void> {
    if (!this.alive) return
    const gone = once(this.child, 'exit')
    this.child.kill('SIGKILL')
    await gone
  }

  async residentBytes(): Promise<number> {
    return (await this.ask<NodeJS.MemoryUsage>('memory')).rss
  }

  #take(answer: Answer): void {
    if ('event' in answer) {
      this.#handlers.get(answer.event)?.(answer.payload as never)
      return
    }
    const asked = this.#asked.get(answer.id)
    if (answer.error === undefined) asked?.resolve(answer.value as never)
    else asked?.reject(new Error(answer.error))
  }
}

type ConnectionEvent = RelayEvents['connection']

export class RelayProgram extends Program {
  readonly connections: ConnectionEvent[] = []

  constructor(t: Teardown, options: unknown) {
    super(t, './relay-program.js', options)
    this.on('connection', (event: ConnectionEvent) => this.connections.push(event))
  }

  apply(state: RelayState): Promise<void> {
    return this.ask('apply', state)
  }

  status(): Promise<RelayStatus> {
    return this.ask('status')
  }

  traffic(): Promise<AllocationTraffic[]> {
    return this.ask('traffic')
  }

  devices(): Promise<RelayDevice[]> {
    return this.ask('devices')
  }

  /** With a new ticket. */
  address(device: string = DEVICE): Promise<AgentRelay> {
    return this.ask('address', device)
  }

  async port(allocationId: number): Promise<number> {
    const { allocations } = await this.status()
    const found = allocations.find((one) => one.allocationId === allocationId)
    if (found?.status !== 'listening') throw new Error(`allocation ${allocationId} is ${found?.status}`)
    return found.port
  }

  async open(): Promise<number> {
    return (await this.traffic()).reduce((sum, { open }) => sum + open, 0)
  }
}

export class AgentProgram extends Program {
  constructor(t: Teardown, options: unknown) {
    super(t, './agent-program.js', options)
  }

  connect(relay: AgentRelay): Promise<void> {
    return this.ask('connect', relay)
  }

  links(): Promise<AgentLinkStatus[]> {
    return this.ask('links')
  }

  open(): Promise<number> {
    return this.ask('open')
  }
}

/** `storage`: path of a file. */
export type RelayProgramOptions = Omit<RelayOptions, 'storage' | 'ticketKey' | 'admission' | 'logger'> & {
  storage?: string
}

export async function startRelayProgram(t: Teardown, options: RelayProgramOptions = {}): Promise<RelayProgram> {
  const relay = new RelayProgram(t, options)
  await relay.ready()
  return relay
}

export async function startAgentProgram(
  t: Teardown,
  options: Omit<AgentOptions, 'logger'> = {},
): Promise<AgentProgram> {
  const agent = new AgentProgram(t, options)
  await agent.ready()
  return agent
}

/** Waits for a link that is up on both sides. */
export async function linkedPrograms(relay: RelayProgram, agent: AgentProgram, device: string = DEVICE): Promise<void> {
  await until(async () => {
    const [devices, links] = await Promise.all([relay.devices(), agent.links()])
    return devices.some(({ deviceId }) => deviceId === device) && links[0]?.connected
  }, 'the link')
}
