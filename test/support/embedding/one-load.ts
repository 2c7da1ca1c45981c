import { strict as assert } from 'node:assert'
import { once } from 'node:events'
import type { Kernel } from '@sallyport/core'
import fastify from 'fastify'
import { WebSocket } from 'ws'
import { adminPassword } from '../panel.js'
import { ask, begin, type Host } from './host.js'
import { lightKernel, wholeKernel } from './kernels.js'

const ready = '/api/health/ready'
/** Of so many loads one has people signed in and connections open when it ends, and one is in a Fastify app. */
const every = 10

/** Loads a kernel into a host, uses it, and unloads it. */
export async function load(host: Host, index: number, whole: boolean): Promise<void> {
  const options = { pool: host.pool, relay: true }
  const kernel = whole ? wholeKernel(options) : lightKernel(options)
  if (index % every === 0) return loadInFastify(kernel)
  await kernel.start()
  const unmount = host.mount(kernel)
  assert.equal((await ask(host.url + ready)).status, 200)
  const ended = whole && index % every === 5 ? await hold(host.url) : undefined
  await kernel.stop()
  await ended?.ended
  if (index % every === 1) {
    assert.equal((await ask(host.url + ready)).status, 503, 'stopped, and mounted still')
    assert.equal((await ask(host.url)).text, 'the host')
  }
  unmount()
  if (index % every === 2) assert.equal((await ask(host.url + ready)).text, 'the host', 'as if nothing had been there')
}

/** Fastify knows no taking back of routes: they go with their app. */
async function loadInFastify(kernel: Kernel): Promise<void> {
  const app = fastify()
  app.register(kernel.fastify, { prefix: '/panel' })
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  assert.equal((await ask(`${url}/panel${ready}`)).status, 200)
  await kernel.stop()
  assert.equal((await ask(`${url}/panel${ready}`)).status, 503)
  await app.close()
}

/** Signs in and holds a live stream and a control channel open; what is given resolves once they have ended. */
async function hold(url: string): Promise<{ ended: Promise<unknown> }> {
  const { text } = await ask(`${url}/api/auth/login`, undefined, { email: 'admin@localhost', password: adminPassword })
  const { token } = JSON.parse(text)
  const stream = await begin(`${url}/api/tunnel/events`, token)
  assert.equal(stream.statusCode, 200)
  await once(stream, 'data')
  const streamEnded = new Promise((resolve) => stream.resume().on('error', resolve).on('close', resolve))
  const channel = new WebSocket(`${url.replace('http', 'ws')}/api/tunnel/ws`)
  await once(channel, 'open')
  const channelEnded = once(channel, 'close')
  return { ended: Promise.all([streamEnded, channelEnded]) }
}
