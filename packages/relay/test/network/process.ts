import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { until } from '../support.js'

interface Teardown {
  teardown(handler: () => unknown): void
}

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))

/** A process that runs until the test is over. */
export interface TestProcess {
  /** stdout and stderr as they came. */
  said(): string
  /** Waits until that matches, and gives the milliseconds that it took. */
  says(words: RegExp, deadlineMs?: number): Promise<number>
  readonly exitCode: number | null
  kill(signal: NodeJS.Signals): void
}

export function startProcess(t: Teardown, command: readonly string[], env: Record<string, string> = {}): TestProcess {
  const [file = '', ...args] = command
  const child = spawn(file, args, {
    env: { PATH: process.env['PATH'] ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const exit = new Promise((resolve) => child.on('close', resolve).on('error', resolve))
  t.teardown(() => {
    child.kill('SIGKILL')
    return exit
  })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      said += text
    })
  }
  return {
    said: () => said,
    says: (words, deadlineMs) =>
      until(() => words.test(said), `${words}`, deadlineMs).catch((error: Error) => {
        throw new Error(`${error.message}, but:\n${said}`)
      }),
    get exitCode() {
      return child.exitCode
    },
    kill: (signal) => void child.kill(signal),
  }
}

/** `sallyport run` of an enrolled device; `prefix` in front of the command. */
export async function startAgentProcess(
  t: Teardown,
  panel: string,
  options: { prefix?: readonly string[]; node?: readonly string[]; env?: Record<string, string>; args?: string[] } = {},
): Promise<TestProcess> {
  const home = await mkdtemp(join(tmpdir(), 'sallyport-network-'))
  t.teardown(() => rm(home, { recursive: true, force: true }))
  const config = join(home, 'agent.json')
  await writeFile(config, JSON.stringify({ panel, token: 'device-token-0123456789' }), { mode: 0o600 })
  const { prefix = [], node = [], env = {}, args = [] } = options
  const command = [...prefix, process.execPath, ...node, MAIN, 'run', '--config', config, ...args]
  return startProcess(t, command, { HOME: home, ...env })
}

/** Echoes on TCP and UDP; each answer to a datagram is preceded by the port that it came from. */
const ECHO = `
  const host = process.argv[1]
  const tcp = require('node:net').createServer((socket) => socket.on('error', () => undefined).pipe(socket))
  const udp = require('node:dgram').createSocket('udp4')
  udp.on('message', (payload, from) => udp.send(from.port + ' ' + payload, from.port, from.address))
  tcp.listen(0, host, () => udp.bind(tcp.address().port, host, () => console.log('port', tcp.address().port)))`

/** Says `port N`. */
export function startEchoProcess(t: Teardown, prefix: readonly string[], host: string = '127.0.0.1'): TestProcess {
  return startProcess(t, [...prefix, process.execPath, '-e', ECHO, host])
}

/** For NODE_EXTRA_CA_CERTS. */
export async function authorityFile(t: Teardown, certificate: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-authority-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const path = join(folder, 'authority.pem')
  await writeFile(path, certificate)
  return path
}
