import { hash } from '@node-rs/argon2'
import t from 'tap'
import { createPasswordHasher } from '../dist/directory/password-hasher.js'
import { isAcceptablePassword } from '../dist/password.js'

t.test('passwords', async (t) => {
  const hasher = await createPasswordHasher()

  t.test('are argon2id with the parameters that OWASP names', async (t) => {
    const stored = await hasher.hash('correct horse')
    t.match(stored, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
    t.not(stored, await hasher.hash('correct horse'), 'salted')
    t.same(await hasher.verify(stored, 'correct horse'), { valid: true, outdated: false })
    t.same(await hasher.verify(stored, 'correct horsE'), { valid: false, outdated: false })
  })

  t.test('are the same in every normal form', async (t) => {
    const stored = await hasher.hash('Pa\u030asswörd①')
    t.equal((await hasher.verify(stored, 'Påsswo\u0308rd1')).valid, true)
  })

  t.test('no password fits a user that does not exist', async (t) => {
    for (const password of ['', 'correct horse', 'x'.repeat(1000)]) {
      t.same(await hasher.verify(undefined, password), { valid: false, outdated: false })
    }
  })

  t.test('one that is too long fits nothing, not even the hash of none', async (t) => {
    t.equal((await hasher.verify(await hasher.hash('x'.repeat(256)), 'x'.repeat(257))).valid, false)
    t.equal((await hasher.verify(await hasher.hash(''), 'x'.repeat(257))).valid, false)
  })

  t.test('a hash with other parameters is outdated once the password is right', async (t) => {
    const stored = await hash('correct horse', { memoryCost: 8192, timeCost: 2, parallelism: 1 })
    t.same(await hasher.verify(stored, 'correct horse'), { valid: true, outdated: true })
    t.same(await hasher.verify(stored, 'wrong horse'), { valid: false, outdated: false })
  })
})

t.test('a password has 8 to 256 characters, as people count them', async (t) => {
  for (const good of ['12345678', 'x'.repeat(256), '🙂'.repeat(8), '🙂'.repeat(256)]) t.ok(isAcceptablePassword(good))
  for (const bad of ['', '1234567', 'x'.repeat(257), '🙂'.repeat(7), 'e\u0301'.repeat(7)])
    t.notOk(isAcceptablePassword(bad))
})
