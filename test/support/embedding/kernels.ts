import { apiKey, auth, directory, passkey, session, twoFactor } from '@sallyport/auth'
import { createKernel, createLogger, database, http, type Kernel, keyring, settings } from '@sallyport/core'
import { tunnel } from '@sallyport/tunnel'
import type { Pool } from 'pg'
import { adminPassword } from '../panel.js'

interface KernelOptions {
  /** The host's. */
  readonly pool: Pool
  /** Whether there is a relay in the process. */
  readonly relay: boolean
}

const secretKeys = ['unloading leaves nothing behind but what is in the tables']

/** Everything that there is: every strategy, the control plane of tunnels, and a relay if wanted. */
export function wholeKernel({ pool, relay }: KernelOptions): Kernel {
  const firstAdministrator = { email: 'admin@localhost', password: adminPassword }
  return createKernel({
    logger: createLogger({ level: 'silent' }),
    plugins: [
      http({ publicUrl: 'http://localhost' }),
      keyring({ secretKeys }),
      database({ connectLike: pool, pool: { max: 2 } }),
      auth({ strategies: [session(), twoFactor(), passkey(), apiKey()], users: directory({ firstAdministrator }) }),
      tunnel({ relay: relay && { dataPort: 0 } }),
    ],
  })
}

/** Core alone: HTTP and the settings, which need the database. */
export function lightKernel({ pool }: KernelOptions): Kernel {
  return createKernel({
    logger: createLogger({ level: 'silent' }),
    plugins: [
      http({ publicUrl: 'http://localhost' }),
      keyring({ secretKeys }),
      database({ connectLike: pool, pool: { max: 2 } }),
      settings(),
    ],
  })
}
