import { auth, directory, session } from '@sallyport/auth'
import { createKernel, createLogger, database, type Kernel, keyring } from '@sallyport/core'
import { trustedProxy } from './trusted-proxy.js'

/** The user that the example makes. */
export const email = 'admin@localhost'

/** A panel that believes a proxy on this machine; people may sign in by password as well. */
export function createServer(password: string): Kernel {
  return createKernel({
    logger: createLogger({ level: 'warn', fd: 2 }),
    plugins: [
      database({ dataDir: 'memory://' }),
      keyring({ dataDir: 'memory://' }),
      auth({
        strategies: [session(), trustedProxy({ proxies: ['127.0.0.1', '::1'], header: 'X-Forwarded-Email' })],
        users: directory({ firstAdministrator: { email, password } }),
      }),
    ],
  })
}
