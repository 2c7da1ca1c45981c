import { PGlite, type PGliteOptions } from '@electric-sql/pglite'

/**
 * How the embedded Postgres is started. Its defaults (shared_buffers=128MB) are a server's: with 8 MB a panel's tables
 * are as fast, because the operating system caches the files, and the process is half as large.
 */
export const openOptions: PGliteOptions = {
  startParams: [
    ...PGlite.defaultStartParams,
    ...settings('shared_buffers=8MB', 'max_connections=5', 'temp_buffers=1MB'),
  ],
}

/** How its files are made: a log in pieces of 1 MiB instead of 16, for a directory of 30 MB. */
export const createOptions: PGliteOptions = {
  ...openOptions,
  initDbStartParams: ['--wal-segsize=1'],
}

function settings(...lines: string[]): string[] {
  return lines.flatMap((line) => ['-c', line])
}
