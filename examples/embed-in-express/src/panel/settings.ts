import { randomBytes } from 'node:crypto'

const { env } = process
const port = Number(env['PORT'] ?? 3000)
const [from = 20_000, to = 29_999] = (env['RELAY_PORT_RANGE'] ?? '20000-29999').split('-').map(Number)

/** The environment of the program. */
export interface Settings {
  readonly port: number
  /** Postgres; unset: one in memory. */
  readonly databaseUrl: string | undefined
  readonly http: { readonly publicUrl: string; readonly basePath: string }
  readonly keyring: { readonly secretKeys: string[] }
  readonly tunnel: {
    readonly relay: { readonly dataPort: number }
    readonly portRange: { readonly from: number; readonly to: number }
  }
}

export const settings: Settings = {
  port,
  databaseUrl: env['DATABASE_URL'],
  // The panel has the rest of the paths for itself.
  http: { publicUrl: `${env['PUBLIC_URL'] ?? `http://localhost:${port}`}/sallyport`, basePath: '/sallyport' },
  // Without one, everybody signs in again after a restart.
  keyring: { secretKeys: env['SECRET_KEYS']?.split(',') ?? [randomBytes(32).toString('base64url')] },
  tunnel: { relay: { dataPort: Number(env['RELAY_DATA_PORT'] ?? 7350) }, portRange: { from, to } },
}
