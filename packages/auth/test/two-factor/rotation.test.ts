import { missingPostgres, skipWithout, startPostgres } from '@sallyport/core/testing'
import t from 'tap'
import type { Panel } from '../support/panel.js'
import { until } from '../support/until.js'
import {
  admin,
  type Enrolled,
  enrol,
  sql,
  startTwoFactorPanel,
  tempTokenOf,
  userMaker,
  verifyLogin,
} from './support.js'

const [oldest, old, fresh] = ['oldest', 'old', 'new'].map((name) => `the ${name} secret key, of length enough`) as [
  string,
  string,
  string,
]

t.test('secret keys are taken away', { skip: skipWithout('Postgres', missingPostgres()) }, async (t) => {
  const postgres = await startPostgres()
  t.teardown(() => postgres[Symbol.asyncDispose]())
  const withKeys = (...secretKeys: string[]): Promise<Panel> =>
    startTwoFactorPanel(t, { databaseUrl: postgres.url, secretKeys })
  const keysInUse = (panel: Panel) => sql(panel, 'SELECT DISTINCT sealed_by FROM auth_two_factor')
  const signIn = async ({ call }: Panel, user: Enrolled): Promise<number> => {
    const tempToken = await tempTokenOf(call, user)
    return (await verifyLogin(call, { tempToken, token: await user.app.next() })).status
  }

  const first = await withKeys(oldest)
  const plain = await userMaker(first)()
  const users = [await enrol(first.call, plain), await enrol(first.call, admin)]
  const [before] = await keysInUse(first)
  await first.kernel.stop()

  const second = await withKeys(old, oldest)
  await until('everything sealed anew', async () => {
    const keys = await keysInUse(second)
    return keys.length === 1 && keys[0]?.['sealed_by'] !== before?.['sealed_by']
  })
  await second.kernel.stop()

  const third = await withKeys(fresh, old)
  for (const user of users) t.equal(await signIn(third, user), 200, 'the oldest is no longer needed')
  await third.kernel.stop()

  const fourth = await withKeys(fresh)
  for (const user of users) t.equal(await signIn(fourth, user), 200)
  await fourth.kernel.stop()
})
