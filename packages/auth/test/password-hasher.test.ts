import { hash } from '@node-rs/argon2'
import t from 'tap'
import { createPasswordHasher } from '../dist/directory/password-hasher.js'
import { isAcceptablePassword } from '../dist/password.js'
import type { PasswordScheme } from '../dist/passwords/password-scheme.js'

t.test('passwords', async (t) => {
  const hasher = createPasswordHasher()

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

  t.test('a stronger hash is not', async (t) => {
    for (const stronger of [
      { memoryCost: 65_536, timeCost: 3, parallelism: 1 },
      { memoryCost: 65_536, timeCost: 1, parallelism: 4 },
    ]) {
      const stored = await hash('correct horse', stronger)
      t.same(await hasher.verify(stored, 'correct horse'), { valid: true, outdated: false })
    }
  })
})

/** Says what work it does, and does none. */
function counting(name: string, worked: string[]): PasswordScheme {
  return {
    name,
    workOf: (stored) => (stored.startsWith(`${name}:`) ? stored.split(':').slice(0, 2).join(':') : undefined),
    async verify(stored, password) {
      worked.push(stored.split(':').slice(0, 2).join(':'))
      return stored.endsWith(`:${password}`)
    },
  }
}

t.test('where other programs made hashes, the work is the same for whoever signs in', async (t) => {
  const worked: string[] = []
  const schemes = [counting('old', worked), counting('older', worked)]
  const hasher = createPasswordHasher({ samples: ['old:10:x', 'older:5:x'], schemes })
  const own = await hasher.hash('right horse')
  const workFor = async (stored: string | undefined, password: string): Promise<string[]> => {
    worked.length = 0
    await hasher.verify(stored, password)
    return worked.toSorted()
  }
  const everything = ['old:10', 'older:5']
  for (const stored of [undefined, '', 'of no kind', own, 'old:10:right', 'older:5:right']) {
    for (const password of ['right', 'wrong', 'x'.repeat(300)]) {
      t.same(await workFor(stored, password), everything, `${stored} ${password.slice(0, 9)}`)
    }
  }
  t.same(await hasher.verify('old:10:right', 'right'), { valid: true, outdated: true })
  t.same(await hasher.verify('old:10:x', 'x'), { valid: true, outdated: true }, 'a sample may be of somebody')
  t.same(await hasher.verify(undefined, 'x'), { valid: false, outdated: false }, 'and lets nobody else in')
  t.same(await hasher.verify(own, 'right horse'), { valid: true, outdated: false })

  t.same(await workFor('old:12:right', 'right'), ['old:10', 'old:12', 'older:5'], 'a kind that nobody told of')
  t.same(await workFor(undefined, 'right'), ['old:10', 'old:12', 'older:5'], 'is known from then on')
  for (let cost = 20; cost < 40; cost += 1) await hasher.verify(`old:${cost}:x`, 'x')
  t.equal((await workFor(undefined, 'x')).length, 5, 'up to a bound')
})

t.test('a password is compared in all forms that its program may have hashed, each time', async (t) => {
  const worked: string[] = []
  const scheme = { ...counting('old', worked), forms: (text: string) => [text, text.toUpperCase()] }
  const hasher = createPasswordHasher({ samples: ['old:1:x'], schemes: [scheme] })
  for (const stored of [undefined, 'old:1:nothing', 'old:1:e\u0301', 'old:1:\u00e9', 'old:1:\u00c9']) {
    worked.length = 0
    const { valid, outdated } = await hasher.verify(stored, 'e\u0301')
    t.equal(worked.length, 4, stored ?? 'nobody')
    t.equal(valid, stored !== undefined && stored !== 'old:1:nothing')
    t.equal(outdated, false, 'its program would not know the hash of the normal form')
  }
  t.equal((await hasher.verify('old:1:\u00e9', '\u00e9')).outdated, true)
  t.equal((await hasher.verify('old:1:\u00c9', '\u00e9')).outdated, false)
})

t.test('verifications wait in one line, whatever hash it is', async (t) => {
  let running = 0
  let most = 0
  const slow: PasswordScheme = {
    name: 'slow',
    workOf: (stored) => (stored.startsWith('slow:') ? 'slow' : undefined),
    async verify() {
      running += 1
      most = Math.max(most, running)
      await new Promise((resolve) => setImmediate(resolve))
      running -= 1
      return false
    },
  }
  const hasher = createPasswordHasher({ samples: ['slow:x'], schemes: [slow] })
  const results = await Promise.allSettled(Array.from({ length: 260 }, () => hasher.verify(undefined, 'x')))
  t.ok(most <= 4, `${most} at a time`)
  const refused = results.filter((result) => result.status === 'rejected')
  t.ok(refused.length >= 56)
  t.ok(refused.every(({ reason }) => reason.code === 'AUTH_ERR_HASHING_BUSY' && reason.retryAfter > 0))
})

t.test('a password has 8 to 256 characters, as people count them', async (t) => {
  for (const good of ['12345678', 'x'.repeat(256), '🙂'.repeat(8), '🙂'.repeat(256)]) t.ok(isAcceptablePassword(good))
  for (const bad of ['', '1234567', 'x'.repeat(257), '🙂'.repeat(7), 'e\u0301'.repeat(7)])
    t.notOk(isAcceptablePassword(bad))
})
