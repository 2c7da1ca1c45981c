import { execFile } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer as createTlsServer, type TLSSocket, type TlsOptions } from 'node:tls'
import { promisify } from 'node:util'
import t from 'tap'
import { fingerprintOf } from '../../dist/identity/fingerprint.js'
import { createSelfSigned } from '../../dist/identity/self-signed.js'
import { type AgentRelay, type CertificatePair, createAgent } from '../../dist/index.js'
import { type DialRelayOptions, dialRelay } from '../../dist/link/dial-relay.js'
import { freePort } from '../free-port.js'
import {
  addressOf,
  doorOf,
  dial as player,
  readBytes,
  startAgent,
  startEcho,
  startRelay,
  startTunnel,
  until,
} from '../support.js'

/** RFC 8446 section 7.5: none is the same as an empty one. */
const NO_CONTEXT = Buffer.alloc(0)

type Test = { teardown(handler: () => unknown): void }
type Door = Pick<AgentRelay, 'host' | 'port' | 'fingerprint' | 'encryption'>

/** The code of the error that ended it, or 'ready'. */
function outcome(t: Test, relay: Door, options: Partial<DialRelayOptions> = {}): Promise<string> {
  return new Promise((resolve) => {
    const socket = dialRelay(relay, { timeoutMs: 5_000, onReady: () => resolve('ready'), ...options })
    t.teardown(() => socket.destroy())
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'error'))
    socket.on('close', () => resolve('closed'))
  })
}

/** Somebody with a certificate of his own who keeps what he is told. */
async function impostor(t: Test, pair: CertificatePair = createSelfSigned(), options: TlsOptions = {}) {
  const heard: Buffer[] = []
  const server = createTlsServer({ ...pair, ALPNProtocols: ['sallyport/2'], ...options }, (socket) => {
    socket.on('error', () => {})
    socket.on('data', (bytes) => heard.push(bytes))
  })
  const open = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    open.add(socket)
    socket.on('error', () => {})
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    for (const socket of open) socket.destroy()
    return new Promise((resolve) => server.close(resolve))
  })
  return { port: (server.address() as AddressInfo).port, heard, server, pair, open }
}

async function plainServer(t: Test, onConnection: (socket: Socket) => void): Promise<number> {
  const open = new Set<Socket>()
  const server = createServer((socket) => {
    open.add(socket)
    socket.on('error', () => {})
    onConnection(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    for (const socket of open) socket.destroy()
    return new Promise((resolve) => server.close(resolve))
  })
  return (server.address() as AddressInfo).port
}

t.test('by a fingerprint exactly one certificate is accepted', async (t) => {
  const relay = await startRelay(t)
  const door = doorOf(relay)
  t.equal(await outcome(t, door), 'ready')
  t.equal(await outcome(t, { ...door, fingerprint: 'f'.repeat(64) }), 'certificate_mismatch')
  const other = await impostor(t)
  t.equal(await outcome(t, { ...door, port: other.port }), 'certificate_mismatch')
  t.equal(
    await outcome(t, { ...door, fingerprint: fingerprintOf(new X509Certificate(other.pair.cert)) }),
    'certificate_mismatch',
  )
})

t.test('whoever is in between is told nothing, and the link says why', async (t) => {
  const relay = await startRelay(t)
  const between = await impostor(t)
  const agent = createAgent({ limits: { retryMinMs: 1, retryMaxMs: 5 } })
  t.teardown(() => agent.stop())
  const errors: (string | undefined)[] = []
  agent.on('link', ({ error }) => errors.push(error))
  agent.connect({ ...addressOf(relay), port: between.port })
  await until(() => errors.length > 0)
  await until(() => between.open.size >= 3, 'it tries on')
  t.same(errors, ['certificate_mismatch'], 'said once')
  t.equal(Buffer.concat(between.heard).length, 0, 'no ticket, nor anything else')
  agent.connect(addressOf(relay))
  await until(() => agent.links()[0]?.connected)
})

t.test('without a fingerprint the certificate has to be vouched for, for this name', async (t) => {
  const pair = createSelfSigned({ commonName: 'localhost' })
  const { port } = await impostor(t, pair)
  const host = 'localhost'
  t.equal(await outcome(t, { host, port }), 'certificate_untrusted')
  t.equal(await outcome(t, { host, port }, { ca: pair.cert }), 'ready')
  t.equal(await outcome(t, { host: '127.0.0.1', port }, { ca: pair.cert }), 'certificate_untrusted', 'another name')
  const detour = { ca: pair.cert, host: '127.0.0.1' }
  t.equal(await outcome(t, { host, port: 1 }, { ...detour, port }), 'ready', 'dialled by address, known by name')
  t.equal(await outcome(t, { host: 'other.example', port }, detour), 'certificate_untrusted')
  const ended = createSelfSigned({ commonName: 'localhost', notAfter: new Date(Date.now() - 1_000) })
  const late = await impostor(t, ended)
  t.equal(await outcome(t, { host, port: late.port }, { ca: ended.cert }), 'certificate_expired')
})

t.test('only TLS 1.3 and only this protocol', async (t) => {
  const pair = createSelfSigned()
  const fingerprint = fingerprintOf(new X509Certificate(pair.cert))
  for (const options of [{ maxVersion: 'TLSv1.2' }, { ALPNProtocols: ['h2'] }] as TlsOptions[]) {
    const { port } = await impostor(t, pair, options)
    t.equal(await outcome(t, { host: '127.0.0.1', port, fingerprint }), 'tls_failed')
  }
  const { port } = await impostor(t, pair, { ALPNProtocols: undefined as unknown as string[] })
  t.equal(await outcome(t, { host: '127.0.0.1', port, fingerprint }), 'tls_failed', 'a server that knows no protocols')
})

t.test('what speaks no TLS, or nothing at all, is given up with a clear word', async (t) => {
  const fingerprint = 'a'.repeat(64)
  const host = '127.0.0.1'
  const plain = await startRelay(t, { encryption: 'off' })
  t.equal(await outcome(t, { host, port: plain.dataPort, fingerprint }), 'tls_failed')
  const http = await plainServer(t, (socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))
  t.equal(await outcome(t, { host, port: http, fingerprint }), 'tls_failed')
  const silent = await plainServer(t, () => {})
  t.equal(await outcome(t, { host, port: silent, fingerprint }, { timeoutMs: 30 }), 'timeout')
  const free = await plainServer(t, () => {})
  t.ok(free)
  t.equal(await outcome(t, { host, port: await freePort(), fingerprint }), 'ECONNREFUSED')
})

t.test('an agent that goes without encryption to a relay that has it is told so', async (t) => {
  const relay = await startRelay(t)
  const agent = createAgent({ limits: { retryMinMs: 1 } })
  t.teardown(() => agent.stop())
  const error = new Promise((resolve) => agent.on('link', (event) => resolve(event.error)))
  const { fingerprint: _, ...address } = addressOf(relay)
  agent.connect({ ...address, encryption: 'off' })
  t.equal(await error, 'unanswered')
})

t.test('both ends export the same secret', async (t) => {
  const { server, port, pair } = await impostor(t)
  const far = new Promise<TLSSocket>((resolve) => server.once('secureConnection', resolve))
  const fingerprint = fingerprintOf(new X509Certificate(pair.cert))
  const near = await new Promise<TLSSocket>((resolve) => {
    const options = { timeoutMs: 5_000, onReady: (socket: Socket) => resolve(socket as TLSSocket) }
    const socket = dialRelay({ host: '127.0.0.1', port, fingerprint }, options)
    t.teardown(() => socket.destroy())
  })
  const label = 'EXPORTER-test'
  const secured = await far
  t.same(near.exportKeyingMaterial(32, label, NO_CONTEXT), secured.exportKeyingMaterial(32, label, NO_CONTEXT))
})

t.test('a renewed certificate serves new links and leaves old ones', async (t) => {
  const first = createSelfSigned({ commonName: 'localhost' })
  const second = createSelfSigned({ commonName: 'localhost' })
  const relay = await startRelay(t, { certificate: first })
  const door = { host: 'localhost', port: relay.dataPort }
  t.equal(relay.fingerprint, undefined)
  t.equal(await outcome(t, door, { ca: first.cert }), 'ready')
  const present = dialRelay(door, { timeoutMs: 5_000, ca: first.cert, onReady: () => {} })
  t.teardown(() => present.destroy())
  await once(present, 'secureConnect')
  relay.setCertificate(second)
  t.equal(await outcome(t, door, { ca: second.cert }), 'ready')
  t.equal(await outcome(t, door, { ca: first.cert }), 'certificate_untrusted')
  t.throws(() => relay.setCertificate({ ...first, key: second.key }), { code: 'RELAY_ERR_INVALID_OPTION' })
  t.equal(await outcome(t, door, { ca: second.cert }), 'ready', 'a bad one changes nothing')
  t.notOk(present.destroyed)
  const own = await startRelay(t)
  t.throws(() => own.setCertificate(first), { code: 'RELAY_ERR_INVALID_OPTION' })
})

t.test('authorities come from the machine', async (t) => {
  const certificate = createSelfSigned({ commonName: 'localhost' })
  const relay = await startRelay(t, { certificate })
  const home = mkdtempSync(join(tmpdir(), 'authorities-'))
  t.teardown(() => rmSync(home, { recursive: true }))
  const file = join(home, 'ca.pem')
  writeFileSync(file, certificate.cert)
  const address = { ...addressOf(relay), host: 'localhost' }
  const script = `
    import { createAgent } from ${JSON.stringify(new URL('../../dist/index.js', import.meta.url).href)}
    const agent = createAgent()
    agent.on('link', ({ connected, error }) => { console.log(connected ? 'linked' : error); agent.stop() })
    agent.connect(${JSON.stringify(address)})`
  const run = async (env: NodeJS.ProcessEnv) => {
    const args = ['--input-type=module', '--eval', script]
    return (await promisify(execFile)(process.execPath, args, { env: { ...process.env, ...env } })).stdout.split(
      '\n',
    )[0]
  }
  t.equal(await run({}), 'certificate_untrusted')
  t.equal(await run({ NODE_EXTRA_CA_CERTS: file }), 'linked')
})

t.test('players come through with encryption and without', async (t) => {
  const { port: target } = await startEcho(t)
  for (const encryption of ['tls', 'off'] as const) {
    const { port } = await startTunnel(t, target, { relay: { encryption } })
    const socket = await player(t, port)
    socket.write('through')
    t.equal(String(await readBytes(socket, 7)), 'through')
  }
})

t.test('a moved fingerprint moves the link', async (t) => {
  const first = await startRelay(t)
  const agent = await startAgent(t, first)
  const second = await startRelay(t)
  const events: (string | undefined)[] = []
  agent.on('link', ({ error }) => events.push(error))
  const { fingerprint, ticket } = addressOf(second)
  agent.connect({ ...addressOf(first), ...(fingerprint === undefined ? {} : { fingerprint }), ticket })
  t.same(events[0], 'moved')
  await until(() => events.includes('certificate_mismatch'))
})
