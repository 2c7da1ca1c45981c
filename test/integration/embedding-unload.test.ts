// A kernel that a host has unloaded has left nothing behind in the host's process, nor in its tables; nor has it opened ports.
import t from 'tap'
import { listeningPorts } from '../support/embedding/footprint.js'
import { type Host, startHost } from '../support/embedding/host.js'
import { wholeKernel } from '../support/embedding/kernels.js'
import { checkUnloading } from '../support/embedding/unloading.js'
import { postgresServer, withoutPostgres } from '../support/real-servers.js'

const timeoutMs = 230_000
t.setTimeout(timeoutMs)

t.test('1,000 loads of core leave nothing behind', { skip: withoutPostgres, timeout: timeoutMs }, (t) =>
  checkUnloading(t, { kind: 'light', loads: 1_000, timeoutMs }),
)

t.test('opens no port when the host listens, but for a relay', { skip: withoutPostgres }, async (t) => {
  const { url } = await postgresServer(t)
  const host = await startHost(url)
  t.teardown(() => host.close())
  const before = listeningPorts()
  for (const [relay, more] of [
    [false, []],
    [true, ['tcp', 'udp']],
  ] as const) {
    t.same(await portsOf(host, relay, before), more, relay ? 'those that agents dial' : 'without a relay none')
    t.same(listeningPorts(), before, 'none afterwards')
  }
})

/** Protocols of the ports that a kernel opens. */
async function portsOf(host: Host, relay: boolean, before: readonly string[]): Promise<string[]> {
  const kernel = wholeKernel({ pool: host.pool, relay })
  const unmount = host.mount(kernel)
  try {
    await kernel.start()
    const more = listeningPorts().filter((port) => !before.includes(port))
    return more.map((port) => port.split(' ')[0] ?? '').sort()
  } finally {
    unmount()
    await kernel.stop()
  }
}
