import { Database } from '@sallyport/core'
import { QueryTypes } from 'sequelize'
import t from 'tap'
import { directory, OneTimeTokens } from '../../dist/index.js'
import { startPanel } from '../support/panel.js'

t.test('one-time tokens', async (t) => {
  const { kernel } = await startPanel(t, { users: directory() })
  const tokens = kernel.get(OneTimeTokens)
  const database = kernel.get(Database)
  const rows = (sql: string): Promise<Record<string, unknown>[]> =>
    database.sequelize.query(sql, { type: QueryTypes.SELECT })

  t.test('give back what they were made with, once', async (t) => {
    const data = { email: 'a@b.cd', nested: [1, null] }
    const { token, id, expiresAt } = await tokens.issue('test', { subject: 'user-1', data, ttlSeconds: 60 })
    t.match(token, /^[\w-]{43}$/)
    t.ok(Math.abs(expiresAt.getTime() - Date.now() - 60_000) < 10_000)
    const expected = { id, subject: 'user-1', data, expiresAt }
    t.same(await tokens.find('test', token), expected)
    t.same(await tokens.redeem('test', token), expected)
    t.equal(await tokens.redeem('test', token), undefined)
    t.equal(await tokens.find('test', token), undefined)
  })

  t.test('nothing that the database holds redeems one', async (t) => {
    const { token } = await tokens.issue('test', { subject: 'user-2', ttlSeconds: 60 })
    for (const row of await rows('SELECT * FROM auth_one_time_tokens')) {
      for (const value of Object.values(row)) {
        t.notOk(String(value).includes(token))
        t.equal(await tokens.redeem('test', String(value)), undefined)
      }
    }
    t.ok(await tokens.redeem('test', token))
  })

  t.test('one of a purpose is none of another', async (t) => {
    const { token } = await tokens.issue('a', { ttlSeconds: 60 })
    for (const purpose of ['b', '', 'A', 'a\0']) t.equal(await tokens.redeem(purpose, token), undefined)
    t.ok(await tokens.redeem('a', token))
  })

  t.test('what is no token is none', async (t) => {
    for (const text of [
      '',
      'x',
      'x'.repeat(43),
      'x'.repeat(1_000_000),
      '\0'.repeat(43),
      "'; DROP TABLE auth_users --",
    ]) {
      t.equal(await tokens.redeem('test', text), undefined)
      t.equal(await tokens.find('test', text), undefined)
    }
  })

  t.test('replacing ends those of the same purpose and subject, and no others', async (t) => {
    const issue = (purpose: string, subject: string, replace: boolean) =>
      tokens.issue(purpose, { subject, ttlSeconds: 60, replace })
    const [first, kept, other, stranger] = [
      await issue('replace', 'user-1', false),
      await issue('replace', 'user-2', false),
      await issue('else', 'user-1', false),
      await tokens.issue('replace', { ttlSeconds: 60 }),
    ]
    const last = await issue('replace', 'user-1', true)
    t.equal(await tokens.find('replace', first.token), undefined)
    for (const { token } of [kept, last, stranger]) t.ok(await tokens.find('replace', token))
    t.ok(await tokens.find('else', other.token))
    await tokens.revoke('replace', 'user-2')
    t.equal(await tokens.find('replace', kept.token), undefined)
    t.ok(await tokens.find('replace', last.token))
  })

  t.test('an expired one is none', async (t) => {
    const { token, id } = await tokens.issue('test', { ttlSeconds: 60 })
    await rows(`UPDATE auth_one_time_tokens SET expires_at = now() WHERE id = '${id}'`)
    t.equal(await tokens.find('test', token), undefined)
    t.equal(await tokens.redeem('test', token), undefined)
  })

  t.test('one redeemed in a transaction that is rolled back is in force again', async (t) => {
    const { token } = await tokens.issue('test', { ttlSeconds: 60 })
    const failed = database.transaction(async (transaction) => {
      t.ok(await tokens.redeem('test', token, transaction))
      t.equal(await tokens.redeem('test', token, transaction), undefined)
      throw new Error('rolled back')
    })
    await t.rejects(failed, /rolled back/)
    t.ok(await tokens.redeem('test', token))
  })
})
