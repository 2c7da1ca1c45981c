import { X509Certificate } from 'node:crypto'
import t from 'tap'
import { fingerprintOf } from '../../dist/identity/fingerprint.js'
import { createSelfSigned } from '../../dist/identity/self-signed.js'
import { until } from '../support.js'
import { DatagramPlayer, StreamingPlayer, visit } from './players.js'
import { startWorld } from './world.js'

const certificate = createSelfSigned()
const fingerprint = fingerprintOf(new X509Certificate(certificate.cert))

for (const [what, options, more] of [
  ['on IPv6', { bindHost: '::1' }, {}],
  ['without encryption', { encryption: 'off' }, {}],
  ['with a certificate of its own', { certificate }, { fingerprint }],
] as const)
  t.test(`a relay ${what} is handed over`, { timeout: 30_000 }, async (t) => {
    const { line, tcp, udp } = await startWorld(t, options, more)
    const stream = new StreamingPlayer(t, tcp)
    const datagrams = new DatagramPlayer(t, udp)
    await until(() => stream.receivedBytes > 0 && datagrams.received.size > 0, 'the players')
    const [, bytes] = await Promise.all([line.ask(0, 'handOver'), visit(t, tcp)])
    t.equal(bytes, 100)
    await line.linked(1)
    t.same(await line.ports(1), { tcp: tcp.port, udp: udp.port })
    const { size } = datagrams.received
    await until(() => datagrams.received.size > size + 10, 'datagrams on')
    t.equal(await visit(t, tcp), 100)
    t.equal(await stream.end(), undefined)
    await line.ask(0, 'stop', 5_000)
  })
