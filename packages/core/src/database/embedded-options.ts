import { PGlite, type PGliteOptions } from '@electric-sql/pglite'

/** Postgres's `-F`, which PGlite has among its parameters: no fsync. */
const withoutFsync = '-F'

/**
 * How the embedded Postgres is started. Its defaults (shared_buffers=128MB) are a server's: with 8 MB a panel's tables
 * are as fast, because the operating system caches the files, and the process is half as large.
 */
const startParams: readonly string[] = [
  ...PGlite.defaultStartParams,
  ...settings('shared_buffers=8MB', 'max_connections=5', 'temp_buffers=1MB'),
]

/** For a database in memory. */
export const memoryOptions: PGliteOptions = { startParams: [...startParams] }

/** For one on disk. Its log is written out by fsync(2): of fdatasync(2) PGlite makes nothing, see embedded-files.ts. */
export const fileOptions: PGliteOptions = {
  startParams: [...startParams.filter((param) => param !== withoutFsync), ...settings('wal_sync_method=fsync')],
}

/** For making one: a log in pieces of 1 MiB instead of 16, for a directory of 30 MB. */
export const createOptions: PGliteOptions = { ...memoryOptions, initDbStartParams: ['--wal-segsize=1'] }

function settings(...lines: string[]): string[] {
  return lines.flatMap((line) => ['-c', line])
}
