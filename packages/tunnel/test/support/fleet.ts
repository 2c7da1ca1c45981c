import { database, redis } from '@sallyport/core'
import { startPostgres, startRedis } from '@sallyport/core/testing'
import { startEcho } from './local-service.js'
import { type Panel, somePorts, startPanel } from './panel.js'

/** Two panels without relays of their own on one database and one Redis, and something to play with. */
export interface Fleet {
  readonly here: Panel
  readonly there: Panel
  readonly portRange: { readonly from: number; readonly to: number }
  readonly redisServer: Awaited<ReturnType<typeof startRedis>>
  /** An allocation request for the echo service. */
  readonly tcp: { readonly protocol: 'tcp'; readonly localPort: number }
}

export async function openFleet(
  t: { teardown(close: () => Promise<void>): void },
  relays: { readonly graceMs?: number } = {},
): Promise<Fleet> {
  const [postgres, redisServer] = await Promise.all([startPostgres(), startRedis()])
  t.teardown(async () => {
    await redisServer[Symbol.asyncDispose]()
    await postgres[Symbol.asyncDispose]()
  })
  const portRange = somePorts(300)
  const open = (): Promise<Panel> =>
    startPanel({
      plugins: [database({ url: postgres.url, pool: { max: 5 } }), redis({ url: redisServer.url })],
      config: { relay: false, portRange, relays },
    })
  const [here, there] = await Promise.all([open(), open()])
  const echo = await startEcho()
  t.teardown(async () => {
    // Redis may have been away for a while, which the logs say.
    await Promise.all([here, there].map((panel) => panel.kernel.stop()))
    await echo.close()
  })
  return { here, there, portRange, redisServer, tcp: { protocol: 'tcp', localPort: echo.port } }
}
