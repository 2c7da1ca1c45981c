import { join } from 'node:path'
import { type Balancer, startBalancer } from './balancer.js'
import type { Child } from './child.js'
import { enrolRelay } from './enrol-relay.js'
import { freePort } from './free-port.js'
import { type Panel, startPanel } from './panels.js'
import { startPostgres } from './postgres.js'
import { startRedis } from './redis.js'
import { startRelay } from './relay.js'
import type { Secrets } from './secrets.js'
import type { Settings } from './settings.js'
import { type Upstreams, watchUpstreams } from './upstreams.js'

/** Everything that runs. */
export interface Stack {
  readonly publicUrl: string
  stop(): Promise<void>
}

export interface StackOptions {
  readonly settings: Settings
  readonly secrets: Secrets
  readonly adminEmail: string
  /** Aborted: a start that is under way gives up. */
  readonly signal: AbortSignal
  /** What happens. */
  readonly say: (line: string) => void
  /** What the programs say. */
  readonly log: (line: string) => void
}

/** Starts it all; when something does not start, what was started is stopped. */
export async function startStack(options: StackOptions): Promise<Stack> {
  const { settings, secrets, signal, say, log } = options
  const { dataDir } = settings
  let balancer: Balancer | undefined
  let upstreams: Upstreams | undefined
  const servers: Child[] = []
  const panels: Panel[] = []
  const relays: Child[] = []

  const stop = async (): Promise<void> => {
    upstreams?.stop()
    balancer?.drain()
    // Panels let what is under way end; then nobody needs the others.
    await Promise.all([...relays, ...panels.map(({ child }) => child)].map((child) => child.stop()))
    await balancer?.close()
    await Promise.all(servers.map((child) => child.stop()))
  }
  const tell = ({ name, pid }: Child, where = ''): void => say(`${name}: ${where}process ${pid}`)
  const step = async <T>(work: Promise<T>, keep?: (done: T) => void): Promise<T> => {
    const done = await work
    keep?.(done)
    signal.throwIfAborted()
    return done
  }

  try {
    balancer = await step(startBalancer({ host: settings.host, port: settings.port, upstreams: () => upstreams }))
    const local = `http://127.0.0.1:${balancer.port}`
    const publicUrl = settings.publicUrl ?? `http://localhost:${balancer.port}`

    let { databaseUrl, redisUrl } = settings
    if (databaseUrl === undefined) {
      const own = { dataDir, programs: settings.postgresBin, password: secrets.databasePassword, say }
      const postgres = await step(startPostgres(own), ({ child }) => servers.push(child))
      tell(postgres.child)
      databaseUrl = postgres.url
    }
    if (redisUrl === undefined) {
      const own = { password: secrets.redisPassword, say }
      const redis = await step(startRedis(own), ({ child }) => servers.push(child))
      tell(redis.child)
      redisUrl = redis.url
    }

    const shared = {
      ...{ publicUrl, databaseUrl, redisUrl, portRange: settings.relay.portRange },
      ...{ secretKeys: secrets.secretKeys, adminPassword: secrets.adminPassword, trustedProxies: '127.0.0.1/32' },
    }
    const open = async (number: number): Promise<void> => {
      const port = await freePort()
      const panel = startPanel({ number, port, dataDir, shared, say, log })
      const { child, host } = await step(panel, (panel) => panels.push(panel))
      tell(child, `http://${host}:${port}, `)
    }
    // The first one makes the tables; the others find them.
    await open(1)
    const others = Array.from({ length: settings.panels - 1 }, (_, index) => open(index + 2))
    await Promise.allSettled(others)
    await Promise.all(others)
    panels.sort((a, b) => a.number - b.number)
    upstreams = watchUpstreams(
      panels.map(({ number, host, port }) => ({ name: `panel ${number}`, host, port })),
      log,
    )

    const config = join(dataDir, 'relay.json')
    const { adminPassword: password } = secrets
    const enrolment = { panel: local, panelForRelay: local, email: options.adminEmail, password, file: config }
    await step(enrolRelay(enrolment))
    const relay = startRelay({ panel: local, config, settings: settings.relay, say, log })
    tell(await step(relay, (child) => relays.push(child)))
    return { publicUrl, stop }
  } catch (error) {
    await stop()
    throw error
  }
}
