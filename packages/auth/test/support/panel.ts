import { Audit, type AuditRecord, database, Http, http, type Kernel, keyring, override } from '@sallyport/core'
import { createTestKernel } from '@sallyport/core/testing'
import type { Test } from 'tap'
import { type AuthConfig, auth, session } from '../../dist/index.js'
import { type Call, createClient } from './client.js'

export interface Panel {
  readonly kernel: Kernel
  readonly call: Call
  /** What the panel takes for its own origin. */
  readonly origin: string
  /** What went to the audit log. */
  readonly audited: readonly AuditRecord[]
}

export interface PanelOptions {
  readonly users: NonNullable<AuthConfig['users']>
  readonly session?: Parameters<typeof session>[0]
  readonly publicUrl?: string
  /** A Postgres server; default: a database in memory. */
  readonly databaseUrl?: string
}

/** A kernel with sessions that listens on a port of its own, and ends with the test. */
export async function startPanel(t: Test, options: PanelOptions): Promise<Panel> {
  const audited: AuditRecord[] = []
  const { kernel, url } = await createTestKernel({
    plugins: [
      database(options.databaseUrl === undefined ? { dataDir: 'memory://' } : { url: options.databaseUrl }),
      keyring({ dataDir: 'memory://' }),
      auth({ strategies: [session(options.session)], users: options.users }),
      ...(options.publicUrl === undefined ? [] : [http({ publicUrl: options.publicUrl })]),
    ],
    overrides: [override(Audit, { record: async (record) => void audited.push(record) })],
  })
  t.teardown(() => kernel.stop())
  return { kernel, call: createClient(url), origin: kernel.get(Http).publicUrl, audited }
}
