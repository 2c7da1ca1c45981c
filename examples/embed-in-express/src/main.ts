import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { closeDatabase, prepareDatabase } from './panel/database.js'
import { createPanelServer } from './panel/server.js'
import { settings } from './panel/settings.js'
import { tries } from './tries.js'

try {
  await prepareDatabase()
  const { server, close } = await createPanelServer()
  let stopping = false
  const stop = (): void => {
    // npm and the terminal may both send a signal; the first counts.
    if (stopping) return
    stopping = true
    void close().then(closeDatabase)
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, stop)
  server.listen(settings.port, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://localhost:${(server.address() as AddressInfo).port}`
  console.log(`The panel is at ${url}. Try it, in another terminal:\n\n${tries(url)}`)
} catch (error) {
  console.error(`The panel cannot start: ${error instanceof Error ? error.message : error}`)
  process.exit(1)
}
