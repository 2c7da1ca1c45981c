import { isSallyportError } from '@sallyport/core'
import { userDirectoryContract } from '@sallyport/core/testing'
import t from 'tap'
import { type MappedDirectory, mappedDirectory, type UserMapping } from '../../dist/index.js'
import { hashes, password, typed } from '../passwords/hashes.js'

interface Row {
  readonly id: number
  readonly email: string
  hash: string | null
  suspended: boolean
}

interface Host {
  readonly rows: Row[]
  readonly asked: string[]
  readonly directory: MappedDirectory
}

/** A host's table in memory. It finds whoever is like what was asked for, as databases may. */
function host(stored: readonly (string | null)[], options: Partial<UserMapping<Row>> = {}, mayReplace = true): Host {
  const rows = stored.map((hash, index) => ({
    id: index + 1,
    email: `User${index + 1}@example.org`,
    hash,
    suspended: false,
  }))
  const asked: string[] = []
  const directory = mappedDirectory<Row>({
    ids: 'integer',
    async findById(id) {
      asked.push(id)
      return rows.find((row) => row.id === Number(id))
    },
    findByEmail: async (email) => rows.filter((row) => row.email.toLowerCase().trim() === email.trim()),
    toUser: ({ id, email, suspended, hash }) => ({ id, email, suspended, hash }),
    passwordHash: ({ hash }) => hash,
    sampleHashes: [hashes.bcrypt2a],
    ...(mayReplace && {
      async replacePasswordHash(row: Row, hash: string) {
        if (rows.find(({ id }) => id === row.id)?.hash !== row.hash) return false
        rows.splice(
          rows.findIndex(({ id }) => id === row.id),
          1,
          { ...row, hash },
        )
        return true
      },
    }),
    ...options,
  })
  return { rows, asked, directory }
}

const email = 'user1@example.org'
const runner = (t: Tap) => ({
  test: (name: string, body: () => Promise<void>) => t.test(name, async (t) => void (await t.resolves(body()))),
})
type Tap = typeof t

t.test('keeps the contract, whether hashes may be replaced or not', async (t) => {
  for (const mayReplace of [true, false]) {
    userDirectoryContract(runner(t as Tap), async () => {
      const { directory, rows } = host([hashes.bcrypt2b], {}, mayReplace)
      return {
        directory,
        email: 'User1@example.org',
        password,
        async suspend(userId) {
          const row = rows[0]
          if (row) row.suspended = true
          await directory.tell({ userId, change: 'suspended' })
        },
      }
    })
  }
})

t.test('an old hash is replaced when its password is shown, and sessions go on', async (t) => {
  for (const old of [hashes.bcrypt2b, hashes.argon2idWeak, hashes.argon2i, hashes.phpassH]) {
    const { directory, rows } = host([old])
    const before = await directory.findByEmail(email)
    t.equal(await directory.verifyPassword(email, 'wrong horse'), undefined)
    t.equal(rows[0]?.hash, old, 'not for a wrong one')
    const shown = await directory.verifyPassword(email, password)
    t.match(rows[0]?.hash, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
    const after = await directory.findByEmail(email)
    t.ok(after?.securityStamp)
    t.equal(shown?.securityStamp, after?.securityStamp, 'a session begun with it is in force')
    t.equal(before?.securityStamp, after?.securityStamp, 'sessions begun before it too')
    t.ok(await directory.verifyPassword(email, password))
    t.equal(await directory.verifyPassword(email, old), undefined, 'the hash is no password')
  }
})

t.test('a new password is a new stamp, by whichever program', async (t) => {
  const { directory, rows } = host([hashes.bcrypt2b])
  const stamps = new Set<string | undefined>()
  const stampNow = async () => stamps.add((await directory.findById('1'))?.securityStamp)
  await stampNow()
  await directory.verifyPassword(email, password)
  await stampNow()
  t.equal(stamps.size, 1)
  const changed = await directory.changePassword?.('1', 'a new password')
  await stampNow()
  t.ok(stamps.has(changed?.securityStamp))
  t.equal(stamps.size, 2)
  t.equal(await directory.verifyPassword(email, password), undefined)
  await directory.changePassword?.('1', 'a new password')
  await stampNow()
  t.equal(stamps.size, 3, 'the same again too')
  for (const hash of [hashes.bcrypt2a, hashes.argon2id64, null]) {
    const row = rows[0] as Row
    row.hash = hash
    await stampNow()
  }
  t.equal(stamps.size, 6)
  t.equal(await directory.changePassword?.('2', 'of nobody'), undefined)
})

t.test('what must stay stays', async (t) => {
  const stays = async (name: string, made: Host, given = password): Promise<void> => {
    const before = structuredClone(made.rows)
    t.ok(await made.directory.verifyPassword(email, given), name)
    t.same(made.rows, before, name)
  }
  await stays('a stronger argon2id', host([hashes.argon2id64], { sampleHashes: [hashes.argon2id64] }))
  await stays('everything, when the host does not allow it', host([hashes.bcrypt2b], {}, false))
  await stays('a hash of another text than its program would compare', host([hashes.bcrypt4raw]), typed)
  await stays('a hash of what WordPress makes of quotes', host([hashes.phpassSlashed]), 'it\'s a \\ "quoted" one')
  const suspended = host([hashes.bcrypt2b])
  const row = suspended.rows[0] as Row
  row.suspended = true
  await stays('that of somebody suspended', suspended)
  t.equal((await suspended.directory.verifyPassword(email, password))?.suspended, true)
  t.notOk('changePassword' in host([null], {}, false).directory)
})

t.test('of parallel sign-ins and new passwords nothing is undone', async (t) => {
  const { directory, rows } = host([hashes.bcrypt2b])
  const users = await Promise.all(Array.from({ length: 5 }, () => directory.verifyPassword(email, password)))
  const stamp = (await directory.findById('1'))?.securityStamp
  t.ok(users.every((user) => user?.securityStamp === stamp))

  const racing = host([hashes.bcrypt2b], {
    async replacePasswordHash(row, hash) {
      // The host's own program is quicker.
      if (rows[0]) rows[0].hash = hashes.bcrypt10
      return row.hash === rows[0]?.hash && hash === ''
    },
  })
  t.ok(await racing.directory.verifyPassword(email, password))
  t.equal(rows[0]?.hash, hashes.bcrypt10)
  const change = async (): Promise<void> => void (await racing.directory.changePassword?.('1', 'never gets there'))
  await t.rejects(change(), { code: 'CORE_ERR_CONFLICT' })
})

t.test('ids that cannot be one never meet the database', async (t) => {
  const { directory, asked } = host([hashes.bcrypt2b])
  const user = await directory.findById('1')
  t.equal(user?.id, '1')
  asked.length = 0
  const foreign = [
    '',
    ' 1',
    '01',
    '+1',
    '1.0',
    '1e0',
    '-0',
    '2147483648',
    '9'.repeat(30),
    "1' OR '1'='1",
    '1\u0000',
    '१',
  ]
  for (const id of foreign) t.equal(await directory.findById(id), undefined, id)
  t.same(asked, [])
  const shapes = {
    bigint: [
      ['9223372036854775807', '-1', '0'],
      ['9223372036854775808', '1 ', 'x'],
    ],
    uuid: [['00000000-0000-4000-8000-00000000000a'], ['1', '00000000-0000-4000-8000-00000000000g', '']],
    text: [
      ['a b', "' OR 1=1"],
      ['', 'x'.repeat(256), 'a\nb', 'a\u0000'],
    ],
  } as const
  for (const [ids, [good, bad]] of Object.entries(shapes)) {
    const other = host([], { ids: ids as 'text' })
    for (const id of [...good, ...bad]) t.equal(await other.directory.findById(id), undefined)
    t.same(other.asked, good, ids)
  }
})

t.test('nobody is taken for another whom the database finds like them', async (t) => {
  const twice = host([hashes.bcrypt2b], {
    findByEmail: async () => [
      { id: 1, email, hash: hashes.bcrypt2b, suspended: false },
      { id: 2, email, hash: hashes.bcrypt2b, suspended: false },
    ],
  })
  t.equal(await twice.directory.findByEmail(email), undefined, 'an address that two share')
  t.equal(await twice.directory.verifyPassword(email, password), undefined)
  const { directory } = host([hashes.bcrypt2b])
  for (const alike of [`${email} `, ` ${email}`]) {
    t.equal(await directory.findByEmail(alike), undefined)
    t.equal(await directory.verifyPassword(alike, password), undefined)
  }
  const folding = host([hashes.bcrypt2b], {
    ids: 'text',
    findById: async () => ({ id: 1, email, hash: hashes.bcrypt2b, suspended: false }),
  })
  t.equal(await folding.directory.findById('1 '), undefined)
  t.equal((await folding.directory.findById('1'))?.id, '1')
  t.equal(await directory.findByEmail(''), undefined)
})

t.test('a row that is given whole gives nothing away', async (t) => {
  const { directory } = host([hashes.bcrypt2b])
  t.notOk(JSON.stringify(await directory.findById('1')).includes('$2b$'))
})

t.test('somebody without a hash that is known signs in with nothing', async (t) => {
  const { directory } = host([null, '', '!unusable', '*', '5f4dcc3b5aa765d61d8327deb882cf99'])
  for (let id = 1; id <= 5; id += 1) {
    for (const given of ['', '!unusable', 'password', '*']) {
      t.equal(await directory.verifyPassword(`user${id}@example.org`, given), undefined)
    }
  }
})

t.test('a format of one’s own is a scheme of one’s own', async (t) => {
  const reversed = {
    name: 'reversed',
    workOf: (stored: string) => (stored.startsWith('rev:') ? 'reversed' : undefined),
    verify: async (stored: string, given: string) => stored === `rev:${[...given].reverse().join('')}`,
  }
  const { directory, rows } = host(['rev:drowssap'], { schemes: [reversed], sampleHashes: ['rev:x'] })
  t.equal(await directory.verifyPassword(email, 'drowssap'), undefined)
  t.ok(await directory.verifyPassword(email, 'password'))
  t.match(rows[0]?.hash, /^\$argon2id\$/)
  const error = t.throws(() => host([], { sampleHashes: ['rev:x'] }))
  t.ok(isSallyportError(error) && error.code === 'AUTH_ERR_HASH_UNKNOWN')
})

t.test('every handler is told, also when one fails', async (t) => {
  const { directory } = host([])
  const told: string[] = []
  const handler = (): void => void told.push('twice')
  const stop = directory.onChange(handler)
  directory.onChange(handler)
  directory.onChange(() => {
    throw new Error('broken')
  })
  directory.onChange(({ userId }) => void told.push(userId))
  await t.rejects(directory.tell({ userId: '1', change: 'deleted' }), { message: 'broken' })
  t.same(told, ['twice', 'twice', '1'])
  await stop()
  await directory.tell({ userId: '2', change: 'deleted' }).catch(() => undefined)
  t.same(told, ['twice', 'twice', '1', 'twice', '2'])
})
