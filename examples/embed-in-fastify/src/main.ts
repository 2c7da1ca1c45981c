import type { AddressInfo } from 'node:net'
import { createApp } from './panel/app.js'
import { closeDatabase, prepareDatabase } from './panel/database.js'
import { settings } from './panel/settings.js'
import { tries } from './tries.js'

try {
  await prepareDatabase()
  const app = await createApp()
  let stopping = false
  const stop = (): void => {
    // npm and the terminal may both send a signal; the first counts.
    if (stopping) return
    stopping = true
    // Closing the app stops Sallyport too.
    void app.close().then(closeDatabase)
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, stop)
  await app.listen({ port: settings.port })
  const { port } = app.server.address() as AddressInfo
  const url = `http://localhost:${port}`
  console.log(`The panel is at ${url}. Try it, in another terminal:\n\n${tries(url)}`)
} catch (error) {
  console.error(`The panel cannot start: ${error instanceof Error ? error.message : error}`)
  process.exit(1)
}
