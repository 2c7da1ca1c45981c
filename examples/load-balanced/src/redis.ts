import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { type Child, startChild } from './child.js'
import { freePort } from './free-port.js'
import { SettingsError } from './settings.js'

/** The same protocol. */
const programs = ['redis-server', 'valkey-server']

export interface RedisOptions {
  readonly password: string
  readonly say: (line: string) => void
}

/** Starts a Redis on loopback that keeps nothing: panels have nothing in it that must outlive it. */
export async function startRedis({ password, say }: RedisOptions): Promise<{ url: string; child: Child }> {
  const command = programs.map(find).find((path) => path !== undefined)
  if (command === undefined) {
    throw new SettingsError(
      'There is no redis-server on the PATH. Install it (apt install redis-server, brew install redis), or set REDIS_URL.',
    )
  }
  const port = await freePort()
  const input = ['bind 127.0.0.1', `port ${port}`, 'save ""', 'appendonly no', `requirepass "${password}"`, ''].join(
    '\n',
  )
  const child = await startChild({
    ...{ name: 'redis', command, args: ['-'], input, say },
    ready: /Ready to accept connections/,
    spawn: { cwd: '/' },
  })
  return { url: `redis://:${password}@127.0.0.1:${port}/0`, child }
}

function find(program: string): string | undefined {
  const places = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '')
  return places.map((folder) => join(folder, program)).find(isExecutable)
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
