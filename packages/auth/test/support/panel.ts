import {
  Audit,
  type AuditRecord,
  database,
  Http,
  http,
  type Kernel,
  keyring,
  override,
  type Plugin,
  redis,
} from '@sallyport/core'
import { createTestKernel, type TestLogger } from '@sallyport/core/testing'
import type { Test } from 'tap'
import { type AuthConfig, auth, type BreachedPasswordCheck, session } from '../../dist/index.js'
import { type Call, createClient } from './client.js'

export interface Panel {
  readonly kernel: Kernel
  readonly call: Call
  /** Where it listens. */
  readonly url: string
  /** What the panel takes for its own origin. */
  readonly origin: string
  /** What went to the audit log. */
  readonly audited: readonly AuditRecord[]
  readonly log: TestLogger
}

export interface PanelOptions {
  readonly users: NonNullable<AuthConfig['users']>
  readonly session?: Parameters<typeof session>[0]
  readonly publicUrl?: string
  /** A Postgres server; default: a database in memory. */
  readonly databaseUrl?: string
  readonly redisUrl?: string
  /** Beside `session()`. */
  readonly strategies?: readonly Plugin[]
  readonly mailer?: Plugin
  readonly isBreachedPassword?: BreachedPasswordCheck
  /** Newest first; two panels on one database need the same. */
  readonly secretKeys?: readonly string[]
  readonly plugins?: readonly Plugin[]
}

const secretKey = 'a secret key for tests, known to all'

/** A kernel with sessions that listens on a port of its own, and ends with the test. */
export async function startPanel(t: Test, options: PanelOptions): Promise<Panel> {
  const audited: AuditRecord[] = []
  const { users, strategies = [], mailer, isBreachedPassword, secretKeys = [secretKey], plugins = [] } = options
  const { kernel, url, log } = await createTestKernel({
    plugins: [
      database(options.databaseUrl === undefined ? { dataDir: 'memory://' } : { url: options.databaseUrl }),
      keyring({ secretKeys }),
      auth({
        strategies: [session(options.session), ...strategies],
        users,
        ...(mailer && { mailer }),
        ...(isBreachedPassword && { isBreachedPassword }),
      }),
      ...(options.redisUrl === undefined ? [] : [redis({ url: options.redisUrl })]),
      ...(options.publicUrl === undefined ? [] : [http({ publicUrl: options.publicUrl })]),
      ...plugins,
    ],
    overrides: [override(Audit, { record: async (record) => void audited.push(record) })],
  })
  t.teardown(() => kernel.stop())
  return { kernel, call: createClient(url), url, origin: kernel.get(Http).publicUrl, audited, log }
}
