import type { TestPostgres, TestRedis } from '@sallyport/core/testing'
import type { Test } from 'tap'
import { postgresServer, redisServer } from '../real-servers.js'
import { type SignInPanel, startSignInPanel } from '../sign-in-panel.js'
import { type Balancer, startBalancer } from './balancer.js'

/** Several panel processes on one Postgres and one Redis. */
export interface Fleet {
  readonly panels: readonly SignInPanel[]
  readonly postgres: TestPostgres
  readonly redis: TestRedis
  /** One URL for all of them. */
  readonly balancer: Balancer
  readonly ports: { readonly from: number; readonly to: number }
  /** The panel of this number; there is one. */
  panel(index: number): SignInPanel
}

export interface FleetOptions {
  readonly size?: number
  /** Public ports. Default: 200. */
  readonly ports?: number
  /** Whether each panel has a relay of its own. Default: no. */
  readonly embedded?: boolean
  /** For all, or for one of them. */
  readonly env?: Readonly<Record<string, string>> | ((index: number) => Readonly<Record<string, string>>)
}

const portsPerSlot = 1_250

/** A range below what the system gives to clients, and another for each of the files that run at one time. */
export function somePorts(count: number): { from: number; to: number } {
  const slot = Number(process.env['SALLYPORT_TEST_SLOT'] ?? 0) % 8
  const from = 10_000 + slot * portsPerSlot + Math.floor(Math.random() * (portsPerSlot - count))
  return { from, to: from + count - 1 }
}

export async function startFleet(t: Test, options: FleetOptions = {}): Promise<Fleet> {
  const { size = 3, embedded = false, env = {} } = options
  const ports = somePorts(options.ports ?? 200)
  const [postgres, redis] = await Promise.all([postgresServer(t), redisServer(t)])
  const panels: SignInPanel[] = []
  for (let index = 0; index < size; index += 1) {
    panels.push(
      await startSignInPanel(t, {
        DATABASE_URL: postgres.url,
        REDIS_URL: redis.url,
        PUBLIC_URL: 'http://panel.example',
        RELAY_EMBEDDED: String(embedded),
        RELAY_PORT_RANGE: `${ports.from}-${ports.to}`,
        ...(typeof env === 'function' ? env(index) : env),
      }),
    )
  }
  const balancer = await startBalancer(t, panels.map(portOf))
  return {
    panels,
    postgres,
    redis,
    balancer,
    ports,
    panel(index) {
      const panel = panels[index]
      if (!panel) throw new Error(`there is no panel ${index}`)
      return panel
    },
  }
}

export function portOf({ url }: { readonly url: string }): number {
  return Number(new URL(url).port)
}
