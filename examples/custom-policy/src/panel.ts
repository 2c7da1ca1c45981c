import { auth, directory, session } from '@sallyport/auth'
import { createKernel, createLogger, database, type Kernel, keyring } from '@sallyport/core'
import { tunnel } from '@sallyport/tunnel'
import type { Report } from './decision.js'
import { createRules } from './rules.js'

export const adminEmail = 'admin@localhost'

export interface PanelOptions {
  readonly adminPassword: string
  /** Told everything that is decided. */
  readonly report: Report
  /** Default `memory://`; else a folder. */
  readonly dataDir?: string
  /** Default `warn`. */
  readonly logLevel?: string
}

/** A panel with the host's own rules and no relay of its own. */
export function createPanel({ adminPassword, report, dataDir = 'memory://', logLevel = 'warn' }: PanelOptions): Kernel {
  const { plugin, hooks, chooseRelay } = createRules(report)
  return createKernel({
    logger: createLogger({ level: logLevel, fd: 2 }),
    plugins: [
      database({ dataDir }),
      keyring({ dataDir }),
      auth({
        strategies: [session()],
        users: directory({ firstAdministrator: { email: adminEmail, password: adminPassword } }),
      }),
      plugin,
      tunnel({ relay: false, hooks, chooseRelay }),
    ],
  })
}
