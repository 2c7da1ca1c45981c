import { Cache, definePlugin, redis } from '@sallyport/core'
import { createTestKernel, missingRedis, skipWithout, startRedis } from '@sallyport/core/testing'
import t from 'tap'
import type { RunningTotals } from '../dist/traffic/running-totals.js'
import { createSharedTraffic } from '../dist/traffic/shared-traffic.js'

const totals: RunningTotals = {
  bytesIn: 1,
  bytesOut: 2,
  connections: 3,
  open: 4,
  bytesInPerSecond: 5,
  bytesOutPerSecond: 6,
}

const user = definePlugin({ name: 'user', version: '1.0.0', requires: { cache: Cache }, setup: () => undefined })

t.test(
  'running totals come to another instance by Redis',
  { skip: skipWithout('Redis', missingRedis()) },
  async (t) => {
    const server = await startRedis()
    t.teardown(() => server[Symbol.asyncDispose]())
    const open = async () => {
      const kernel = await createTestKernel({ listen: false, plugins: [redis({ url: server.url }), user()] })
      t.teardown(() => kernel.stop())
      return kernel.get(Cache)
    }
    const [here, there] = [await open(), await open()]
    const [writer, reader] = [createSharedTraffic(here), createSharedTraffic(there)]
    t.equal(await reader.read('relay'), undefined)
    await writer.publish('relay', { epoch: 'a', totals: new Map([[7, totals]]) })
    t.same(await reader.read('relay'), { epoch: 'a', totals: new Map([[7, totals]]) })

    const many = Array.from({ length: 6_000 }, (_, n) => [n, { ...totals, bytesInPerSecond: n }] as const)
    await writer.publish('relay', { epoch: 'a', totals: new Map(many) })
    const most = await reader.read('relay')
    t.equal(most?.totals.size, 5_000)
    t.ok(most?.totals.has(5_999), 'the most active')

    const raw = here.namespace('tunnel.traffic')
    for (const odd of [
      null,
      5,
      {},
      { epoch: 'a', totals: [[1, 2]] },
      { epoch: 'a', totals: [[1, 2, 3, 4, 5, 6, '7']] },
    ]) {
      await raw.set('relay', odd)
      t.equal(await reader.read('relay'), undefined)
    }
    await server.stop()
    t.equal(await reader.read('relay'), undefined)
    await writer.publish('relay', { epoch: 'a', totals: new Map() })
  },
)
