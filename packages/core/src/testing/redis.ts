import { spawnSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import { type ChildServer, startChildServer } from './child-server.js'
import { freePort } from './free-port.js'

export interface TestRedis extends AsyncDisposable {
  /** `redis://…` on 127.0.0.1, with the password. */
  readonly url: string
  readonly port: number
  readonly password: string
  /** Ends the server at once; `start` has an empty one on the same port. */
  stop(): Promise<void>
  start(): Promise<void>
  /** Leaves the server there but without an answer, until `resume`. */
  pause(): void
  resume(): void
}

const program = 'redis-server'
const password = 'redis pass:@/%'
const portAttempts = 5

/** Why there is no Redis to test with, or `undefined` when there is. */
export function missingRedis(): string | undefined {
  return spawnSync(program, ['--version']).status === 0 ? undefined : `no ${program} is on the PATH`
}

/** Starts a real Redis server that keeps nothing. Check `missingRedis` first. Dispose of it at the end. */
export async function startRedis(): Promise<TestRedis> {
  let { port, server } = await openOnFreePort()
  return {
    url: `redis://:${encodeURIComponent(password)}@127.0.0.1:${port}/0`,
    port,
    password,
    stop: () => server.stop(),
    async start() {
      server = await open(port)
    },
    pause: () => void process.kill(server.pid, 'SIGSTOP'),
    resume: () => void process.kill(server.pid, 'SIGCONT'),
    [Symbol.asyncDispose]: () => server.stop(),
  }
}

function open(port: number): Promise<ChildServer> {
  return startChildServer({
    command: program,
    args: ['-'],
    // By its input, because everyone on the machine can read a program's arguments.
    input: [
      'bind 127.0.0.1',
      `port ${port}`,
      'save ""',
      'appendonly no',
      `dir "${tmpdir()}"`,
      `requirepass "${password}"`,
      '',
    ].join('\n'),
    ready: /Ready to accept connections/,
    stopSignal: 'SIGKILL',
  })
}

async function openOnFreePort(): Promise<{ port: number; server: ChildServer }> {
  for (let attempt = 1; ; attempt += 1) {
    const port = await freePort()
    try {
      return { port, server: await open(port) }
    } catch (error) {
      if (attempt === portAttempts) throw error
    }
  }
}
