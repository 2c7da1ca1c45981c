import { Database } from '@sallyport/core'
import { missingPostgres, skipWithout, startPostgres } from '@sallyport/core/testing'
import { QueryTypes } from 'sequelize'
import t from 'tap'
import { directory } from '../../dist/index.js'
import { startPanel } from '../support/panel.js'
import { until } from '../support/until.js'

const administrator = { email: 'admin@localhost', password: 'correct horse battery' }
/** Before and after any that is random. */
const [lowest, highest] = ['00000000-0000-4000-8000-000000000001', 'ffffffff-ffff-4fff-bfff-ffffffffffff']

t.test(
  'two changes of administrators never wait for each other',
  {
    skip: skipWithout('Postgres', missingPostgres()),
  },
  async (t) => {
    const postgres = await startPostgres()
    t.teardown(() => postgres[Symbol.asyncDispose]())
    const users = directory({ firstAdministrator: administrator })
    const { kernel, call } = await startPanel(t, { databaseUrl: postgres.url, users })
    const { sequelize, transaction: begin } = kernel.get(Database)
    const { token } = (await call('POST', '/api/auth/login', { body: administrator })).body
    const make = async (name: string, permissions: string[], id?: string): Promise<string> => {
      const body = { email: `${name}@example.com`, password: 'long enough', permissions }
      const made: string = (await call('POST', '/api/users', { token, body })).body.user.id
      if (id === undefined) return made
      await sequelize.query('UPDATE auth_users SET id = $2 WHERE id = $1', { bind: [made, id] })
      return id
    }
    const change = (id: string, permissions: string[]) =>
      call('PATCH', `/api/users/${id}`, { token, body: { permissions } })
    const waiting = (count: number) =>
      until(`${count} that wait`, async () => {
        const sql = `SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND state = 'active'`
        return (await sequelize.query(sql, { type: QueryTypes.SELECT })).length === count
      })

    const second = await make('second', ['*'])
    const last = await make('last', ['*'], highest)
    const rising = await make('rising', [], lowest)
    const changes: Promise<{ status: number }>[] = []
    await begin(async (transaction) => {
      await sequelize.query('SELECT 1 FROM auth_users WHERE id = $1 FOR UPDATE', { bind: [last], transaction })
      // It has locked the others, knows nothing of the one who rises, and will lock them in the end.
      changes.push(change(rising, ['servers:read']))
      await waiting(1)
      t.equal((await change(rising, ['*'])).status, 200)
      changes.push(change(second, []))
      await waiting(2)
    })
    t.same(
      (await Promise.all(changes)).map(({ status }) => status),
      [200, 200],
    )
  },
)
