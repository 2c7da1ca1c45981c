import { X509Certificate } from 'node:crypto'
import t from 'tap'
import { fingerprintOf } from '../../dist/identity/fingerprint.js'
import { createSelfSigned } from '../../dist/identity/self-signed.js'
import { type CertificatePair, createRelay, memoryStorage, type RelayStorage } from '../../dist/index.js'
import { DEVICE, startAgent, startRelay, until } from '../support.js'

const DAY_MS = 86_400_000

/** A storage whose content can be looked at and spoilt. */
function openStorage(): RelayStorage & { stored: Record<string, unknown> | undefined } {
  const storage = {
    stored: undefined as Record<string, unknown> | undefined,
    load: async () => structuredClone(storage.stored),
    save: async (snapshot: unknown) => {
      storage.stored = structuredClone(snapshot) as Record<string, unknown>
    },
  }
  return storage
}

async function fingerprintAfterStart(storage: RelayStorage, options: object = {}): Promise<string | undefined> {
  const relay = createRelay({ dataPort: 0, storage, ...options })
  await relay.start()
  const { fingerprint } = relay
  await relay.stop()
  return fingerprint
}

t.test('is made once and kept in the storage', async (t) => {
  const storage = openStorage()
  const first = await fingerprintAfterStart(storage)
  t.match(first, /^[0-9a-f]{64}$/)
  const { cert } = storage.stored?.['identity'] as CertificatePair
  t.equal(first, fingerprintOf(new X509Certificate(cert)))
  t.equal(await fingerprintAfterStart(storage), first)
  t.equal(await fingerprintAfterStart(storage, { encryption: 'off' }), undefined)
  t.equal(await fingerprintAfterStart(storage, { certificate: createSelfSigned() }), undefined)
  t.equal(await fingerprintAfterStart(storage), first, 'kept while it was not in use')
  t.not(await fingerprintAfterStart(memoryStorage()), first)
})

t.test('one that is no good is replaced, and nothing else is lost', async (t) => {
  const mixed = { key: createSelfSigned().key, cert: createSelfSigned().cert }
  const bad = [undefined, null, 7, 'text', {}, { key: '', cert: '' }, { key: 1, cert: 2 }, { ...mixed }]
  for (const identity of bad) {
    const storage = openStorage()
    const first = await fingerprintAfterStart(storage)
    const ticketKey = storage.stored?.['ticketKey']
    storage.stored = { ...storage.stored, identity }
    const second = await fingerprintAfterStart(storage)
    t.match(second, /^[0-9a-f]{64}$/)
    t.not(second, first)
    t.equal(storage.stored?.['ticketKey'], ticketKey)
    t.equal(await fingerprintAfterStart(storage), second)
  }
})

t.test('a given certificate is looked at before the start', async (t) => {
  const good = createSelfSigned()
  const ended = createSelfSigned({ notAfter: new Date(Date.now() - DAY_MS) })
  const early = createSelfSigned({ notBefore: new Date(Date.now() + DAY_MS) })
  const bad: [string, unknown, RegExp][] = [
    ['of another key', { key: createSelfSigned().key, cert: good.cert }, /not that of the certificate/],
    ['expired', ended, /expired on/],
    ['not valid yet', early, /not valid before/],
    ['no certificate', { key: good.key, cert: 'x' }, /./],
    ['no key', { key: good.cert, cert: good.cert }, /./],
    ['nothing', {}, /no PEM/],
  ]
  for (const [what, certificate, message] of bad) {
    const options = { certificate: certificate as CertificatePair }
    t.throws(() => createRelay(options), { code: 'RELAY_ERR_INVALID_OPTION', message }, what)
  }
  const error = t.throws(() =>
    createRelay({ certificate: { key: good.key.replace('M', 'N'), cert: good.cert } }),
  ) as Error
  t.notOk(error.message.includes(good.key.slice(40, 80)), 'the key is not repeated')
  t.throws(() => createRelay({ certificate: good, encryption: 'off' }), { code: 'RELAY_ERR_INVALID_OPTION' })
  t.throws(() => createRelay({ encryption: 'on' as 'off' }), { code: 'RELAY_ERR_INVALID_OPTION' })
  t.doesNotThrow(() => createRelay({ certificate: good }))
})

t.test('encryption off is said loudly, and shown on both sides', async (t) => {
  const warned: string[] = []
  const note = () => {}
  const logger = {
    debug: note,
    info: note,
    error: note,
    warn: (_fields: unknown, message: string) => warned.push(message),
  }
  const plain = await startRelay(t, { encryption: 'off', logger })
  t.match(warned, [/encryption is off/])
  const agent = await startAgent(t, plain, { logger })
  t.match(warned, [/encryption is off/, /encryption is off/])
  t.match(agent.links(), [{ connected: true, encryption: 'off' }])
  t.match(plain.devices(), [{ deviceId: DEVICE, encryption: 'off' }])
  t.equal(plain.fingerprint, undefined)
  t.equal(plain.encryption, 'off')

  warned.length = 0
  const relay = await startRelay(t, { logger })
  const other = await startAgent(t, relay, { logger })
  t.same(warned, [])
  t.match(other.links(), [{ connected: true, encryption: 'tls' }])
  t.match(relay.devices(), [{ encryption: 'tls' }])
})

t.test('nonsense of an agent is misuse', async (t) => {
  const relay = await startRelay(t)
  const agent = await startAgent(t, relay)
  const good = { id: 'r', host: '127.0.0.1', port: relay.dataPort, ticket: 't' }
  for (const fingerprint of ['', 'abc', 'A'.repeat(64), 'a'.repeat(65), 7])
    t.throws(() => agent.connect({ ...good, fingerprint: fingerprint as string }), { code: 'RELAY_ERR_INVALID_OPTION' })
  t.throws(() => agent.connect({ ...good, encryption: 'no' as 'off' }), { code: 'RELAY_ERR_INVALID_OPTION' })
  t.equal(agent.links().length, 1)
  await until(() => agent.links()[0]?.connected)
})
