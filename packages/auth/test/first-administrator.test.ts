import { Database, isSallyportError, Secret, UserDirectory } from '@sallyport/core'
import t from 'tap'
import { makeFirstAdministrator } from '../dist/directory/first-administrator.js'
import { createPasswordHasher } from '../dist/directory/password-hasher.js'
import { defineUserRecords } from '../dist/directory/user-record.js'
import { directory } from '../dist/index.js'
import { startPanel } from './support/panel.js'

t.test('the first administrator', async (t) => {
  const told: { email: string; password: string }[] = []
  const { kernel, call, audited } = await startPanel(t, {
    users: directory({
      firstAdministrator: { email: 'admin@localhost', onGenerated: (entry) => void told.push(entry) },
    }),
  })
  const database = kernel.get(Database)
  const records = defineUserRecords(database.sequelize)
  const hasher = createPasswordHasher()
  const again = (email: string, password?: string) =>
    makeFirstAdministrator({
      email,
      password: password === undefined ? undefined : new Secret(password),
      onGenerated: (entry) => void told.push(entry),
      database,
      records,
      hasher,
      audit: { record: async () => undefined },
    })

  t.test('gets a generated password, told once', async (t) => {
    t.equal(told.length, 1)
    t.equal(told[0]?.email, 'admin@localhost')
    t.match(told[0]?.password, /^[\w-]{20}$/)
    const { status, body } = await call('POST', '/api/auth/login', { body: told[0] })
    t.equal(status, 200)
    t.same(body.user.permissions, ['*'])
    t.notOk(JSON.stringify(audited).includes(told[0]?.password ?? '?'))
    await again('other@localhost')
    t.equal(told.length, 1)
    t.equal(await records.count(), 1)
  })

  t.test('is one, however many instances start together', async (t) => {
    await records.destroy({ where: {} })
    told.length = 0
    await Promise.all(Array.from({ length: 6 }, (_, index) => again(`admin-${index}@localhost`)))
    t.equal(await records.count(), 1)
    t.equal(told.length, 1)
    t.ok(await kernel.get(UserDirectory).verifyPassword(told[0]?.email ?? '', told[0]?.password ?? ''))
  })

  t.test('has the password that was given', async (t) => {
    await records.destroy({ where: {} })
    told.length = 0
    await again('given@localhost', 'given password')
    t.same(told, [])
    t.ok(await kernel.get(UserDirectory).verifyPassword('given@localhost', 'given password'))
  })

  t.test('an outdated hash is replaced at sign-in, and the stamp stays', async (t) => {
    const { hash } = await import('@node-rs/argon2')
    const old = await hash('given password', { memoryCost: 8192, timeCost: 2, parallelism: 1 })
    await records.update({ passwordHash: old }, { where: {} })
    const before = await records.findOne()
    t.notOk(await kernel.get(UserDirectory).verifyPassword('given@localhost', 'wrong password'))
    t.equal((await records.findOne())?.passwordHash, old)
    t.ok(await kernel.get(UserDirectory).verifyPassword('given@localhost', 'given password'))
    const after = await records.findOne()
    t.match(after?.passwordHash, /m=19456,t=2,p=1/)
    t.equal(after?.securityStamp, before?.securityStamp)
  })
})

t.test('one who could not sign in is refused before anything starts', async (t) => {
  const wrong = [
    { email: 'nonsense', password: 'long enough' },
    { email: 'a＠b@c', password: 'long enough' },
    { email: 'admin@localhost', password: 'short' },
    { email: 'admin@localhost' },
    { email: 'admin@localhost', onGenerated: 'me' as never },
  ]
  for (const firstAdministrator of wrong) {
    const error = t.throws(() => directory({ firstAdministrator }), JSON.stringify(firstAdministrator))
    t.ok(isSallyportError(error) && error.code === 'CORE_ERR_CONFIG_INVALID')
    t.notOk(String(isSallyportError(error) && error.message).includes('short'))
  }
})
