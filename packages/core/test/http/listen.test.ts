import dns from 'node:dns'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { connect, createServer } from 'node:net'
import { inject } from 'light-my-request'
import t from 'tap'
import { createKernel, Http, http, override, RateLimits } from '../../dist/index.js'
import { createTestLogger } from '../../dist/testing/index.js'
import { countingLimits } from './support.js'

function makeKernel(config: Parameters<typeof http>[0] = {}) {
  const overrides = [override(RateLimits, countingLimits())]
  return createKernel({ logger: createTestLogger().logger, plugins: [http(config)], overrides })
}

t.test('says why it cannot listen, and can be told another place', async (t) => {
  const taken = createServer()
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
  const { port } = taken.address() as AddressInfo
  const kernel = makeKernel()
  const cases = [
    [{ port }, /Cannot listen on 127\.0\.0\.1:\d+: the port is in use/],
    [{ host: '192.0.2.1' }, /not one of this machine/],
    [{ host: 'no-such-host.invalid' }, /host name/],
    [{ port: 70_000 }, /between 0 and 65535/],
  ] as const
  for (const [options, message] of cases) {
    await t.rejects(kernel.listen(options), { code: 'CORE_ERR_LISTEN_FAILED', message })
  }
  const address = await kernel.listen()
  t.equal((await fetch(`http://127.0.0.1:${address.port}/api/health/live`)).status, 200)
  await t.rejects(kernel.listen(), { code: 'CORE_ERR_LISTEN_FAILED' }, 'one place is enough')
  await kernel.stop()
  await new Promise((resolve) => taken.close(resolve))
})

t.test('listens once a start that is under way has ended', async (t) => {
  const kernel = makeKernel()
  const [, { port }] = await Promise.all([kernel.start(), kernel.listen()])
  t.equal((await fetch(`http://127.0.0.1:${port}/api/health/live`)).status, 200)
  await kernel.stop()
  await t.rejects(kernel.listen(), { code: 'CORE_ERR_KERNEL_STATE' })
})

t.test('leaves nothing listening when it is stopped while it begins to', async (t) => {
  const kernel = makeKernel()
  await kernel.start()
  // Makes the app, so that what is left of `listen` is the listening itself.
  await inject(kernel.handler, '/')
  const free = createServer().listen(0, 'localhost')
  await once(free, 'listening')
  const { port } = free.address() as AddressInfo
  await new Promise((resolve) => free.close(resolve))
  // The address is found once the stop is under way, and not before, however busy the machine is.
  const { lookup } = dns
  t.teardown(() => Object.assign(dns, { lookup }))
  let find = (): void => undefined
  const asked = new Promise<void>((resolve) => {
    const held = (...given: Parameters<typeof lookup>): void => {
      find = () => lookup(...given)
      resolve()
    }
    Object.assign(dns, { lookup: held })
  })
  const listening = kernel.listen({ host: 'localhost', port })
  const refused = t.rejects(listening, { code: 'CORE_ERR_LISTEN_FAILED' })
  await asked
  Object.assign(dns, { lookup })
  const stopped = kernel.stop()
  await new Promise((resolve) => setImmediate(resolve))
  find()
  await stopped
  await refused
  const socket = connect({ port, host: 'localhost', autoSelectFamily: false })
  const connected = once(socket, 'connect').then(() => socket.destroy())
  await t.rejects(connected, { code: 'ECONNREFUSED' })
})

t.test('knows its public URL by configuration, or by where it listens', async (t) => {
  const configured = makeKernel({ publicUrl: 'https://panel.example:8443/base/' })
  await configured.start()
  t.equal(configured.get(Http).publicUrl, 'https://panel.example:8443/base')
  await configured.stop()
  const plain = makeKernel()
  const { port } = await plain.listen()
  t.equal(plain.get(Http).publicUrl, `http://localhost:${port}`)
  await fetch(`http://127.0.0.1:${port}/api/health/live`, { headers: { host: 'evil.example' } })
  t.equal(plain.get(Http).publicUrl, `http://localhost:${port}`, 'no request changes it')
  await plain.stop()
  for (const publicUrl of ['nonsense', 'ftp://x', 'https://user:secret@x', 'https://x/?a', '']) {
    const kernel = makeKernel({ publicUrl })
    await t.rejects(kernel.start(), { code: 'CORE_ERR_CONFIG_INVALID' }, publicUrl)
  }
})
