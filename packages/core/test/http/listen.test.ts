import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
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
  taken.close()
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
