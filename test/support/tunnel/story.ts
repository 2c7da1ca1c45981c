import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Test } from 'tap'
import { freePort } from '../../../packages/relay/dist-test/free-port.js'
import { type Allocation, enroll, isOnline, sallyport } from '../agent.js'
import { type Api, signIn } from '../api.js'
import { until } from '../deadline.js'
import { type Panel, panelEnvironment, startPanel, temporaryDirectory } from '../panel.js'
import type { Program } from '../program.js'

/** A panel and a machine at home, with real programs at both ends. */
export interface Story {
  readonly url: string
  /** As the first administrator; over restarts. */
  readonly admin: Api
  readonly panel: () => Panel
  /** The same panel once more, on the same port, with all that it had. */
  restartPanel(): Promise<void>
  /** Of the agent that is enrolled. */
  readonly config: string
  /** An approved device of kind server, named `far away`. */
  relayDevice(): Promise<{ id: string; token: string }>
  /** The file's content; nobody but its owner can read it. */
  configure(more: Readonly<Record<string, unknown>>, config?: string): Promise<void>
  token(config?: string): Promise<string>
  /** The agent, once the panel says that it is online. */
  run(args?: readonly string[], config?: string): Promise<Program>
  /** Each of the commands that end by themselves. */
  command(args: readonly string[], config?: string): Promise<{ code: number | null; stdout: string; stderr: string }>
  /** Those of everybody. */
  tunnels(): Promise<StoryTunnel[]>
  /** The one that leads to this local port, once it is open. */
  tunnel(localPort: number, protocol?: 'tcp' | 'udp'): Promise<StoryTunnel>
}

export interface StoryTunnel extends Allocation {
  readonly localHost: string
  readonly relayId: string
  readonly relayName: string
  readonly relayOnline: boolean
}

export async function startStory(t: Test, env: Readonly<Record<string, string>> = {}): Promise<Story> {
  const directory = await temporaryDirectory(t)
  // One that the system gives to nobody while the panel is away.
  const environment = panelEnvironment(join(directory, 'data'), { PORT: String(await freePort()), ...env })
  let panel = await startPanel(t, environment)
  const { url } = panel
  let admin = await signIn(url)
  const api: Api = {
    request: (method, path, body) => admin.request(method, path, body),
    ok: (method, path, body) => admin.ok(method, path, body),
  }
  const first = join(directory, 'agent.json')
  await enroll(t, url, admin, first)

  const tunnels = async (): Promise<StoryTunnel[]> =>
    (await admin.ok<{ allocations: StoryTunnel[] }>('GET', '/api/tunnel/allocations')).allocations

  const content = async (config: string) => JSON.parse(await readFile(config, 'utf8')) as Record<string, unknown>

  return {
    url,
    admin: api,
    config: first,
    panel: () => panel,
    async restartPanel() {
      panel = await startPanel(t, { ...environment, PORT: new URL(url).port })
      admin = await signIn(url)
    },
    async relayDevice() {
      const wish = { name: 'far away', kind: 'server' }
      const { deviceCode, userCode } = await admin.ok('POST', '/api/tunnel/device/start', wish)
      const approve = '/api/tunnel/device/approve'
      const { device } = await admin.ok<{ device: { id: string } }>('POST', approve, { userCode })
      const poll = `/api/tunnel/device/poll?deviceCode=${deviceCode}`
      return { id: device.id, token: (await admin.ok<{ token: string }>('GET', poll)).token }
    },
    async configure(more, config = first) {
      await writeFile(config, JSON.stringify({ ...(await content(config)), ...more }), { mode: 0o600 })
    },
    token: async (config = first) => String((await content(config))['token']),
    async run(args = [], config = first) {
      const program = sallyport(t, ['run', '--config', config, ...args])
      await until('the agent', () => {
        if (program.child.exitCode !== null) throw new Error(`it ended: ${program.stdout}${program.stderr}`)
        // An agent before it may be shown online still.
        return /connected/.test(program.stdout + program.stderr) && isOnline(admin)
      })
      return program
    },
    async command(args, config = first) {
      const program = sallyport(t, [...args, '--config', config])
      const { code } = await program.exited
      return { code, stdout: program.stdout, stderr: program.stderr }
    },
    tunnels,
    tunnel: (localPort, protocol = 'tcp') =>
      until(`the tunnel to ${localPort}`, async () =>
        (await tunnels()).find(
          (one) => one.localPort === localPort && one.protocol === protocol && one.status === 'open',
        ),
      ),
  }
}
