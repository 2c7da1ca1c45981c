import { Database, Events, Tokens, UserDirectory } from '@sallyport/core'
import fc from 'fast-check'
import t from 'tap'
import { createCredentialCache, type EndedCredentials } from '../dist/credential-cache.js'
import { isCrossSite } from '../dist/cross-site.js'
import { isEmail, normaliseEmail } from '../dist/email.js'
import { directory, Sessions } from '../dist/index.js'
import { defineSessionRecords } from '../dist/strategies/session/session-record.js'
import { createSessionStore } from '../dist/strategies/session/session-store.js'
import { createSessionStrategy, type KnownSession } from '../dist/strategies/session/session-strategy.js'
import { startPanel } from './support/panel.js'
import { until } from './support/until.js'

const administrator = { email: 'admin@localhost', password: 'correct horse battery' }
const publicUrl = 'https://panel.example'

t.test('the store of sessions', async (t) => {
  const { kernel, call } = await startPanel(t, { users: directory({ firstAdministrator: administrator }) })
  const { sequelize } = kernel.get(Database)
  const records = defineSessionRecords(sequelize)
  const issuer = kernel.get(Tokens).issuer('session')
  const ended: EndedCredentials[] = []
  const store = createSessionStore({
    records,
    issuer,
    idleTimeoutSeconds: 3_600,
    lifetimeSeconds: 7_200,
    onEnded: async (which) => void ended.push(which),
  })
  const users = kernel.get(UserDirectory)
  const admin = await users.findByEmail(administrator.email)
  if (!admin) throw new Error('there is no administrator')
  const begin = () => kernel.get(Sessions).begin(admin, { ip: '192.0.2.1', userAgent: 'x'.repeat(10_000) })

  t.test('bounds what it keeps of a request, and how many sessions a user has', async (t) => {
    const { session } = await begin()
    t.equal(session.userAgent?.length, 300)
    await sequelize.query(`
      INSERT INTO auth_sessions SELECT gen_random_uuid(), '${admin.id}', NULL, now(), now(),
        now() - interval '1 minute' * i, now() + interval '1 hour', '192.0.2.1', NULL, '{password}' FROM generate_series(1, 1100) i`)
    const newest = await begin()
    t.equal(await records.count({ where: { userId: admin.id } }), 1_000)
    t.ok(await store.find(newest.session.id), 'the one just begun is among them')
    t.ok(await store.find(session.id))
  })

  t.test('deletes what has expired, and no more', async (t) => {
    const [kept, expired] = [await begin(), await begin()]
    await records.update({ expiresAt: new Date(Date.now() - 1) }, { where: { id: expired.session.id } })
    t.notOk(await store.find(expired.session.id))
    await store.purge()
    t.equal(await records.count({ where: { id: expired.session.id } }), 0)
    t.ok(await store.find(kept.session.id))
  })

  t.test('a session that ended is not brought back by a request that came at the same time', async (t) => {
    const { session } = await begin()
    await records.update({ lastSeenAt: new Date(Date.now() - 120_000) }, { where: { id: session.id } })
    const record = await store.find(session.id)
    t.ok(record)
    t.ok(await store.revoke(admin.id, session.id))
    if (record) await store.touch(record)
    t.notOk(await store.find(session.id))
  })

  t.test('a session begun under another stamp is void, though no event told of it', async (t) => {
    const { token, session } = await begin()
    t.equal((await call('GET', '/api/auth/session', { token })).status, 200)
    await sequelize.query(`UPDATE auth_users SET security_stamp = gen_random_uuid() WHERE id = '${admin.id}'`)
    await until('the session to be read again', async () => {
      return (await call('GET', '/api/auth/session', { token })).status === 401
    })
    const now = await users.findById(admin.id)
    t.ok(now)
    if (now) t.notOk((await store.list(now)).some(({ id }) => id === session.id))
  })

  t.test('no header and no cookie makes the strategy throw or believe', async (t) => {
    const cache = createCredentialCache<KnownSession>({ events: kernel.get(Events), name: 'test.sessions' })
    const strategy = createSessionStrategy({ issuer, store, cache, users, isForeign: () => false })
    const valid = (await begin()).token
    const mangled = fc.tuple(fc.nat(valid.length - 1), fc.string({ minLength: 1, maxLength: 3 })).map(([at, text]) => {
      return valid.slice(0, at) + text + valid.slice(at + text.length)
    })
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 200 }),
      mangled.filter((token) => token !== valid),
    )
    await fc.assert(
      fc.asyncProperty(
        text,
        fc.constantFrom('Bearer ', 'bearer  ', '', 'Basic '),
        fc.boolean(),
        async (token, scheme, cookie) => {
          const { kind } = await strategy.authenticate({
            method: 'GET',
            headers: cookie ? {} : { authorization: scheme + token },
            cookies: cookie ? { session: token } : {},
            ip: '192.0.2.1',
            peer: '192.0.2.1',
          })
          return kind !== 'authenticated'
        },
      ),
      { numRuns: 300 },
    )
    t.pass()
  })
})

t.test('no text makes a check throw, and normalising twice changes nothing', async (t) => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
      isEmail(text)
      isCrossSite({ method: text, headers: { origin: text, 'sec-fetch-site': text } }, [publicUrl])
      return normaliseEmail(normaliseEmail(text)) === normaliseEmail(text)
    }),
    { numRuns: 2_000 },
  )
  t.pass()
})
