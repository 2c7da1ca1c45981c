import t from 'tap'
import { discourseHash } from '../../dist/passwords/discourse.js'
import { passwordSchemes, readHash } from '../../dist/passwords/schemes.js'
import { findText } from '../../dist/passwords/verify-password.js'
import { hashes, normalised, password, typed } from './hashes.js'

const fits = async (stored: string, given: string): Promise<boolean> => {
  const known = readHash(passwordSchemes, stored)
  if (!known) throw new Error(`${stored} is not known`)
  return (await findText(known, given, true)) !== undefined
}
const workOf = (stored: string): string | undefined => readHash(passwordSchemes, stored)?.work

t.test('hashes of other programs are verified', async (t) => {
  const [hash, salt] = hashes.discourse64k
  const [laterHash, laterSalt, algorithm] = hashes.discourse600k
  const known: Record<string, [stored: string, work: string]> = {
    'PHP bcrypt': [hashes.bcrypt10, 'bcrypt:10'],
    'bcrypt $2a$': [hashes.bcrypt2a, 'bcrypt:4'],
    'bcrypt $2b$': [hashes.bcrypt2b, 'bcrypt:4'],
    'WordPress before 6.8': [hashes.phpassP, 'phpass:13'],
    'phpBB 3': [hashes.phpassH, 'phpass:11'],
    'WordPress 6.8': [hashes.wp10, 'wordpress-bcrypt:10'],
    'Discourse before 2023': [discourseHash(hash, salt), 'pbkdf2-sha256:64000'],
    Discourse: [discourseHash(laterHash, laterSalt, algorithm), 'pbkdf2-sha256:600000'],
    Django: [hashes.django, 'pbkdf2-sha256:1000000'],
    'Django argon2': [hashes.djangoArgon2, 'argon2id:m=102400,t=2,p=8'],
    argon2id: [hashes.argon2id64, 'argon2id:m=65536,t=3,p=1'],
    argon2i: [hashes.argon2i, 'argon2i:m=4096,t=3,p=1'],
  }
  for (const [name, [stored, work]] of Object.entries(known)) {
    t.equal(workOf(stored), work, name)
    t.equal(await fits(stored, password), true, `${name}: the right password`)
    t.equal(await fits(stored, `${password}!`), false, `${name}: a wrong one`)
  }
})

t.test('published vectors hold', async (t) => {
  const vectors = [
    // Openwall's phpass, test.php; and crypt_blowfish, wrapper.c.
    ['$P$9IQRaTwmfeRo7ud9Fh4E2PdI0S3r.L0', 'test12345'],
    ['$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW', 'U*U'],
  ] as const
  for (const [stored, given] of vectors) {
    t.equal(await fits(stored, given), true, stored)
    t.equal(await fits(stored, `${given}x`), false, stored)
  }
})

t.test('WordPress hashes what came by a form trimmed and with backslashes', async (t) => {
  t.equal(await fits(hashes.phpassSlashed, 'it\'s a \\ "quoted" one'), true)
  t.equal(await fits(hashes.phpassTrimmed, ' ends with a space \n'), true)
  t.equal(await fits(hashes.phpassUntrimmedH, 'ends with a space '), true, 'phpBB does not trim')
  t.equal(await fits(hashes.wpLong, `${'x'.repeat(100)}!`), true)
  t.equal(await fits(hashes.wpLong, `${'x'.repeat(100)}?`), false, 'what comes after 72 bytes counts')
})

t.test('a password fits in NFKC and as it was typed', async (t) => {
  t.equal(await fits(hashes.bcrypt4raw, typed), true)
  t.equal(await fits(hashes.bcrypt4nfkc, typed), true)
  t.equal(await fits(hashes.bcrypt4nfkc, normalised), true)
  t.equal(await fits(hashes.bcrypt4raw, normalised), false)
})

t.test('what is no hash, or too much work, is unknown', async (t) => {
  const salt = 'a'.repeat(22)
  const nonsense = [
    '',
    '!',
    '*',
    'x'.repeat(100_000),
    '5f4dcc3b5aa765d61d8327deb882cf99',
    `$2y$31$${'a'.repeat(53)}`,
    `$2y$03$${'a'.repeat(53)}`,
    `$2x$10$${'a'.repeat(53)}`,
    `$2y$10$${'a'.repeat(52)}`,
    `$wp$2y$16$${'a'.repeat(53)}`,
    `$P$S${'a'.repeat(30)}`,
    `$P$.${'a'.repeat(30)}`,
    `pbkdf2_sha256$2147483648$salt$${'a'.repeat(43)}=`,
    `pbkdf2_sha256$0$salt$${'a'.repeat(43)}=`,
    `pbkdf2_sha256$1e3$salt$${'a'.repeat(43)}=`,
    discourseHash('0'.repeat(64), 'salt', '$pbkdf2-sha256$i=9999999999,l=32$'),
    discourseHash('0'.repeat(64), 'salt', '$pbkdf2-sha256$i=64000,l=64$'),
    `$argon2id$v=19$m=4194304,t=2,p=1$${salt}$${'a'.repeat(43)}`,
    `$argon2id$v=19$m=19456,t=1000,p=1$${salt}$${'a'.repeat(43)}`,
    `$argon2id$v=19$m=19456,t=99999999999,p=1$${salt}$${'a'.repeat(43)}`,
    `$argon2id$v=19$m=1,t=1,p=200$${salt}$${'a'.repeat(43)}`,
    `$argon2d$v=19$m=19456,t=2,p=1$${salt}$${'a'.repeat(43)}`,
    `$argon2id$v=19$m=19456,t=2,p=1$$`,
  ]
  for (const stored of nonsense) t.equal(workOf(stored), undefined, stored.slice(0, 60))
})
