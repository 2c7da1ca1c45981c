import { randomBytes } from 'node:crypto'

const { env } = process
const [from = 20_000, to = 29_999] = (env['RELAY_PORT_RANGE'] ?? '20000-29999').split('-').map(Number)

/** The environment of the program. */
export interface Settings {
  readonly port: number
  /** Under which browsers reach the panel; unset: localhost. */
  readonly publicUrl: string | undefined
  /** Postgres; unset: one in memory. */
  readonly databaseUrl: string | undefined
  readonly secretKeys: string[]
  readonly relay: { readonly dataPort: number }
  readonly portRange: { readonly from: number; readonly to: number }
}

export const settings: Settings = {
  port: Number(env['PORT'] ?? 3000),
  publicUrl: env['PUBLIC_URL'],
  databaseUrl: env['DATABASE_URL'],
  // Without one, everybody signs in again after a restart.
  secretKeys: env['SECRET_KEYS']?.split(',') ?? [randomBytes(32).toString('base64url')],
  relay: { dataPort: Number(env['RELAY_DATA_PORT'] ?? 7350) },
  portRange: { from, to },
}
