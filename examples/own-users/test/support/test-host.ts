import { readFile } from 'node:fs/promises'
import { userDirectoryContract } from '@sallyport/core/testing'
import t from 'tap'
import { fixturePassword as password } from '../../dist/fixtures/fixture.js'
import { type Host, hosts } from '../../dist/hosts.js'
import { startPanel, until } from './panel.js'

/** What a program itself does to its tables, and what comes of signing in. */
export interface Program {
  readonly name: string
  /** Suspends `$1`; not there where users cannot be suspended. */
  readonly suspend?: string
  /** Gives `$1` another password, by the hash `$2`. */
  readonly newPassword: string
  /** Where hashes are, what a new one looks like, and whose are old: Ada is 1, Bob 2. */
  readonly upgraded?: {
    readonly table: string
    readonly column: string
    readonly form: RegExp
    readonly rows: readonly number[]
  }
  /** E-mail addresses of people who have the right password and may not sign in. */
  readonly refused: readonly string[]
}

export const argon2id: RegExp = /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[\w+/]{22}\$[\w+/]{43}$/
/** Of `another horse`. */
const anotherHash = '$2b$04$b8IUf.UGLY3UWugLATslneym8U2gywCU/2X7T7XbMkqY89mUuX3d.'
const maxLines = 30

/** What is asked of every host's mapping. */
export function testHost(program: Program): void {
  const { name } = program
  const host = hosts[name] as Host

  t.test(`${name}: so few lines map it`, async (t) => {
    const source = await readFile(new URL(`../../src/hosts/${name}.ts`, import.meta.url), 'utf8')
    const lines = source.split('\n').filter((line) => line.trim() !== '' && !/^\s*(\/\/|\/?\*)/.test(line))
    t.ok(lines.length <= maxLines, `${lines.length} lines`)
  })

  for (const upgrade of [true, false]) {
    t.test(`${name}: people sign in, ${upgrade ? 'hashes may be replaced' : 'nothing is written'}`, async (t) => {
      const { login, session, query, tables, reset } = await startPanel(t, host, upgrade)
      await reset()
      const before = await tables()

      const refusals = [
        ['ada@example.org', 'wrong horse battery staple'],
        ['ada@example.org', `${password}!`],
        ['nobody@example.org', password],
        ...program.refused.map((email) => [email, password]),
      ] as const
      for (const [email = '', given = ''] of refusals) {
        t.equal((await login(email, given)).status, 401, `${email}, ${given}`)
      }
      t.same(await tables(), before, 'what is refused changes nothing')

      for (const email of ['ada@example.org', 'ADA@EXAMPLE.ORG']) {
        const { status, body } = await login(email, password)
        t.equal(status, 200)
        t.match(body.user, { id: '1', permissions: ['*'] })
        t.equal(await session(body.token), 200)
      }
      t.match(await login('bob@example.org', password), { status: 200, body: { user: { id: '2', permissions: [] } } })

      const after = await tables()
      t.same(after.definitions, before.definitions, 'the tables are as they were')
      const { table = '', column = '', form, rows = [] } = (upgrade && program.upgraded) || {}
      const expected = structuredClone(before.rows)
      for (const id of rows) {
        const hash = after.rows[table]?.[id - 1]?.[column]
        if (form) t.match(hash, form)
        const row = expected[table]?.[id - 1]
        if (row) row[column] = hash
      }
      t.same(after.rows, expected, rows.length > 0 ? 'nothing but old hashes is new' : 'the rows are as they were')

      const { token } = (await login('ada@example.org', password)).body
      t.equal(await session(token), 200)
      await query(program.newPassword, [1, anotherHash])
      await until(async () => (await session(token)) === 401)
      t.equal((await login('ada@example.org', password)).status, 401, 'the program has the last word')
    })
  }

  t.test(`${name}: keeps the contract`, async (t) => {
    const { query, reset } = await startPanel(t, host, true)
    const runner = {
      test: (title: string, body: () => Promise<void>) => t.test(title, async (t) => void (await t.resolves(body()))),
    }
    userDirectoryContract(runner, async () => {
      await reset()
      const directory = host.directory(query, { upgrade: true })
      const { email = '' } = (await directory.findById('1')) ?? {}
      const { suspend } = program
      return {
        directory,
        email,
        password,
        ...(suspend !== undefined && {
          async suspend(userId: string) {
            await query(suspend, [userId])
            await directory.tell({ userId, change: 'suspended' })
          },
        }),
      }
    })
  })
}
