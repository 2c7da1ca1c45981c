import fc from 'fast-check'
import t from 'tap'
import type { Answer } from '../support/client.js'
import { challenge, register, signIn, startPasskeyPanel } from './support.js'

const nonsense = [[], {}, null, true, 1, 'x'.repeat(1_000_000)]
/** What of it is nothing of the kind. */
const valid = new Map([
  ['/response/clientExtensionResults', '{}'],
  ['/response/response/transports', '[]'],
])
/** Fields of which an empty object is none. */
const objects = new Set(['/response/response', '/response/clientExtensionResults'])
/** Of each property; a longer hunt says how many. */
const runs = Number(process.env['FUZZ_RUNS'] ?? 60)

t.test('bad input', async (t) => {
  const panel = await startPasskeyPanel(t)
  const { call } = panel
  const { token, id: userId } = await panel.person('fuzzed@localhost')
  // Of EdDSA signatures there is but one spelling.
  const authenticator = panel.authenticator({ counts: false, algorithm: 'EdDSA' })
  await register(call, authenticator, { token })
  const creationOptions = async () => (await call('GET', '/api/auth/passkey/register-challenge', { token })).body
  const sendRegistration = (body: unknown) => call('POST', '/api/auth/passkey/register', { token, body })
  const sendAssertion = (body: unknown) => call('POST', '/api/auth/passkey/authenticate', { body })
  const count = async (table: string): Promise<number> =>
    (await panel.rows(`SELECT 1 FROM ${table} WHERE user_id = '${userId}'`)).length

  t.test('a field that is not what it must be is named', async (t) => {
    const registration = { response: panel.authenticator().create(await creationOptions()), name: 'x' }
    const assertion = { response: authenticator.get(await challenge(call)) }
    for (const [send, body, prefix] of [
      [sendRegistration, registration, ''],
      [sendAssertion, assertion, ''],
      [(given: unknown) => call('POST', '/api/auth/reauthenticate', { token, body: given }), assertion, '/response'],
    ] as const) {
      for (const path of paths(body).filter((path) => path.startsWith(prefix))) {
        for (const value of nonsense) {
          const kind = JSON.stringify(value).slice(0, 20)
          if (valid.get(path) === kind) continue
          const { status, body: answer } = await send(replace(body, path, value))
          t.equal(status, 400, `${path} ${kind}`)
          const named = answer.errors.map((error: { path: string }) => error.path)
          t.ok(
            named.some(
              (name: string) => name === path || (objects.has(path) && name.startsWith(path)) || path === '/response',
            ),
            `${path} ${kind}: ${named}`,
          )
        }
      }
      t.equal((await send({ ...body, admin: true })).status, 400, 'an unknown field')
      for (const whole of ['[]', 'null', '1', '"text"', 'true', '']) t.equal((await send(whole)).status, 400, whole)
    }
    const challengeUrl = '/api/auth/passkey/authenticate-challenge'
    for (const email of [...nonsense, '', 'x', 'a@b@c', 'a b@c', 'a@b\u0000']) {
      const { status, body } = await call('POST', challengeUrl, { body: { email } })
      t.equal(status, 400)
      t.equal(body.errors[0].path, '/email')
    }
    for (const query of ['?email=', '?email=x', '?email=a@b&email=c@d', '?email[]=a@b', '?admin=1', '?email=%00@x']) {
      t.equal((await call('GET', challengeUrl + query)).status, 400, query)
    }
    const { status } = await call('POST', '/api/auth/passkey/register-challenge', { token, body: { userId } })
    t.equal(status, 400)
  })

  t.test('text that is not base64url, not JSON, not CBOR is refused', async (t) => {
    for (const garbage of [
      '!!!',
      '====',
      'AA==',
      '\u{1f511}',
      'A',
      'AAAA',
      'bnVsbA',
      'W10',
      'e30',
      'x'.repeat(4_000),
    ]) {
      for (const field of ['clientDataJSON', 'attestationObject']) {
        const body = { response: panel.authenticator().create(await creationOptions()) }
        t.equal((await sendRegistration(replace(body, `/response/response/${field}`, garbage))).status, 401, field)
      }
      for (const field of ['clientDataJSON', 'authenticatorData', 'signature']) {
        const body = { response: authenticator.get(await challenge(call)) }
        t.equal((await sendAssertion(replace(body, `/response/response/${field}`, garbage))).status, 401, field)
      }
      const body = { response: authenticator.get(await challenge(call)) }
      const id = garbage.slice(0, 1_000)
      const named = replace(replace(body, '/response/id', id), '/response/rawId', id)
      t.equal((await sendAssertion(named)).status, 401, 'id')
    }
  })

  t.test('an attestation object nested without end is refused', async (t) => {
    const body = { response: panel.authenticator().create(await creationOptions()) }
    const nested = Buffer.alloc(24_000, 0x81).toString('base64url')
    t.equal((await sendRegistration(replace(body, '/response/response/attestationObject', nested))).status, 401)
  })

  const bytes = fc.uint8Array({ maxLength: 300 })
  const mutation = fc.oneof(
    fc.record({ kind: fc.constant('flip' as const), at: fc.nat(), bit: fc.nat(7) }),
    fc.record({ kind: fc.constant('cut' as const), at: fc.nat() }),
    fc.record({
      kind: fc.constant('insert' as const),
      at: fc.nat(),
      bytes: fc.uint8Array({ minLength: 1, maxLength: 40 }),
    }),
    fc.record({ kind: fc.constant('replace' as const), bytes: fc.uint8Array({ minLength: 1, maxLength: 300 }) }),
  )
  const isRefusal = ({ status }: Answer): boolean => [400, 401, 409].includes(status)

  t.test('mutated registrations', async (t) => {
    const before = await count('auth_passkeys')
    const fields = fc.constantFrom('clientDataJSON', 'attestationObject')
    await fc.assert(
      fc.asyncProperty(fields, mutation, async (field, how) => {
        const { response } = { response: panel.authenticator().create(await creationOptions()) }
        const path = `/response/response/${field}`
        const answer = await sendRegistration(replace({ response }, path, mutate(response.response[field], how)))
        // Nothing is signed yet: bits of the key, the model or the counter may be any, so may members that nobody knows.
        return isRefusal(answer) || answer.status === 200
      }),
      { numRuns: runs },
    )
    await fc.assert(
      fc.asyncProperty(bytes, fc.nat(255), async (tail, flags) => {
        const alter = (data: Buffer): Buffer =>
          Buffer.concat([data.subarray(0, 32), Buffer.of(flags), data.subarray(33, 37), tail])
        const response = panel.authenticator().create(await creationOptions(), { alter })
        return (await sendRegistration({ response })).status === 401
      }),
      { numRuns: runs },
    )
    t.ok((await count('auth_passkeys')) >= before)
    t.equal((await signIn(call, authenticator)).status, 200, 'the panel goes on')
  })

  t.test('mutated assertions', async (t) => {
    const before = await count('auth_sessions')
    const fields = fc.constantFrom<AssertionField[]>('clientDataJSON', 'authenticatorData', 'signature', 'userHandle')
    const mutated = async (signer: typeof authenticator, field: AssertionField, how: Mutation) => {
      const response = signer.get(await challenge(call))
      const changed = mutate(response.response[field] ?? '', how)
      return sendAssertion(replace({ response }, `/response/response/${field}`, changed))
    }
    await fc.assert(
      fc.asyncProperty(fields, mutation, async (field, how) => isRefusal(await mutated(authenticator, field, how))),
      { numRuns: runs },
    )
    const { token: another } = await panel.person('der@localhost')
    const ecdsa = panel.authenticator({ counts: false })
    await register(call, ecdsa, { token: another })
    await fc.assert(
      fc.asyncProperty(mutation, async (how) => {
        const answer = await mutated(ecdsa, 'signature', how)
        // ASN.1 may write one signature in several ways.
        return isRefusal(answer) || answer.status === 200
      }),
      { numRuns: runs },
    )
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 100 }), async (tail) => {
        // Well signed, with extension data that is none.
        const alter = (data: Buffer): Buffer => Buffer.concat([data, tail])
        return (await signIn(call, authenticator, { deviations: { alter } })).status === 401
      }),
      { numRuns: runs },
    )
    t.equal(await count('auth_sessions'), before, 'none of them began a session')
    t.equal((await signIn(call, authenticator)).status, 200, 'the panel goes on')
  })

  t.test('any JSON in place of a response', async (t) => {
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), async (response) => {
        const answers = [await sendRegistration({ response }), await sendAssertion({ response })]
        return answers.every(({ status }) => status === 400)
      }),
      { numRuns: runs },
    )
    t.equal((await signIn(call, authenticator)).status, 200)
  })
})

type AssertionField = 'clientDataJSON' | 'authenticatorData' | 'signature' | 'userHandle'

type Mutation =
  | { readonly kind: 'flip'; readonly at: number; readonly bit: number }
  | { readonly kind: 'cut'; readonly at: number }
  | { readonly kind: 'insert'; readonly at: number; readonly bytes: Uint8Array }
  | { readonly kind: 'replace'; readonly bytes: Uint8Array }

/** Changes what base64url stands for; the result never stands for the same. */
function mutate(text: string, how: Mutation): string {
  const data = Buffer.from(text, 'base64url')
  if (how.kind === 'replace') return changed(data, Buffer.from(how.bytes))
  const at = how.at % data.length
  if (how.kind === 'cut') return changed(data, data.subarray(0, Math.max(at, 1)))
  if (how.kind === 'insert') return changed(data, Buffer.concat([data.subarray(0, at), how.bytes, data.subarray(at)]))
  const flipped = Buffer.from(data)
  flipped[at] = (data[at] ?? 0) ^ (1 << how.bit)
  return changed(data, flipped)
}

function changed(before: Buffer, after: Buffer): string {
  return (after.equals(before) ? Buffer.of(0) : after).toString('base64url')
}

/** JSON pointers of every field. */
function paths(value: unknown, prefix = ''): string[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return []
  return Object.entries(value).flatMap(([key, item]) => [`${prefix}/${key}`, ...paths(item, `${prefix}/${key}`)])
}

function replace(value: unknown, path: string, by: unknown): unknown {
  const [, key = '', ...rest] = path.split('/')
  const record = value as Record<string, unknown>
  return { ...record, [key]: rest.length === 0 ? by : replace(record[key], `/${rest.join('/')}`, by) }
}
