// A host of two addresses of which one leads nowhere, on a network that loses a first packet: the other is not given up for it.
import dns from 'node:dns'
import t from 'tap'
import { dialRelay, relayDoor } from '../../dist/link/dial-relay.js'
import { until } from '../support.js'
import { networkNamespace, withoutNetworkNamespaces } from './namespace.js'
import { startEchoProcess } from './process.js'

/** Long enough for the first packet to be lost. TCP sends it again a second after it, later than Node waits by itself. */
const LOST_FOR_MS = 100

t.test('a first packet that is lost', { skip: withoutNetworkNamespaces() }, async (t) => {
  const network = networkNamespace(t)
  const service = startEchoProcess(t, network.prefix, '0.0.0.0')
  await until(() => /^port \d+$/m.test(service.said()), 'the service')
  const port = Number(/^port (\d+)$/m.exec(service.said())?.[1])
  const real = dns.lookup
  t.teardown(() => {
    dns.lookup = real
  })
  const addresses = [
    { address: network.innerAddress, family: 4 },
    // Set aside for documentation (RFC 3849): no route leads there.
    { address: '2001:db8::1', family: 6 },
  ]
  dns.lookup = ((_name: string, _options: object, callback: (...answer: unknown[]) => void) =>
    callback(null, addresses)) as unknown as typeof dns.lookup

  network.cut()
  const outcome = new Promise<string>((resolve) => {
    const door = relayDoor({ host: 'far.test', port, encryption: 'off' })
    const socket = dialRelay(door, { timeoutMs: 5_000, onReady: () => resolve('ready') })
    t.teardown(() => socket.destroy())
    socket.on('error', ({ message }) => resolve(message))
  })
  setTimeout(() => network.mend(), LOST_FOR_MS)
  t.equal(await outcome, 'ready')
})
