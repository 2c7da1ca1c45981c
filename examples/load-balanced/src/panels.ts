import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Child, startChild } from './child.js'

/** What every panel is told. What is the same for all is what makes them one. */
export interface SharedSettings {
  /** The balancer's, for cookies, links and passkeys. */
  readonly publicUrl: string
  readonly databaseUrl: string
  readonly redisUrl: string
  readonly secretKeys: string
  readonly adminPassword: string
  /** From where the balancer comes. */
  readonly trustedProxies: string
  /** Public ports of the relays. */
  readonly portRange: string
}

/** The variables of the reference server that this takes; compose.yaml sets the same. */
export function panelVariables(shared: SharedSettings): Record<string, string> {
  return {
    PUBLIC_URL: shared.publicUrl,
    DATABASE_URL: shared.databaseUrl,
    REDIS_URL: shared.redisUrl,
    SECRET_KEYS: shared.secretKeys,
    ADMIN_PASSWORD: shared.adminPassword,
    TRUSTED_PROXIES: shared.trustedProxies,
    // A relay in a panel would take its players along when the panel is restarted.
    RELAY_EMBEDDED: 'false',
    RELAY_PORT_RANGE: shared.portRange,
  }
}

export interface Panel {
  readonly number: number
  readonly host: string
  readonly port: number
  readonly child: Child
}

const program = fileURLToPath(new URL('../../reference-server/dist/main.js', import.meta.url))
const host = '127.0.0.1'

interface PanelOptions {
  readonly number: number
  readonly port: number
  readonly dataDir: string
  readonly shared: SharedSettings
  readonly say: (line: string) => void
  readonly log: (line: string) => void
}

/** Starts one panel: the reference server as `npm start` runs it. */
export async function startPanel({ number, port, dataDir, shared, say, log }: PanelOptions): Promise<Panel> {
  const name = `panel ${number}`
  const child = await startChild({
    ...{ name, command: process.execPath, args: [program], say },
    env: {
      LOG_LEVEL: 'warn',
      ...process.env,
      HOST: host,
      PORT: String(port),
      DATA_DIR: join(dataDir, `panel-${number}`),
      ...panelVariables(shared),
    },
    ready: /^Sallyport ready at .*$/m,
    onLine: (line) => log(`${name}: ${line}`),
  })
  return { number, host, port, child }
}
