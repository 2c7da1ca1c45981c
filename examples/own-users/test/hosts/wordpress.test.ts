import t from 'tap'
import { fixturePassword } from '../../dist/fixtures/fixture.js'
import { type Host, hosts } from '../../dist/hosts.js'
import { startPanel } from '../support/panel.js'
import { argon2id, testHost } from '../support/test-host.js'

testHost({
  name: 'wordpress',
  suspend: 'UPDATE wp_users SET spam = 1 WHERE "ID" = $1 RETURNING "ID"',
  newPassword: 'UPDATE wp_users SET user_pass = $2 WHERE "ID" = $1 RETURNING "ID"',
  upgraded: { table: 'wp_users', column: 'user_pass', form: argon2id, rows: [1, 2] },
  refused: ['eve@example.org'],
})

t.test('wordpress: spaces around a password count as little as in WordPress', async (t) => {
  const { login, reset, tables } = await startPanel(t, hosts['wordpress'] as Host, true)
  await reset()
  const before = await tables()
  t.equal((await login('ada@example.org', ` ${fixturePassword} `)).status, 200)
  t.same(await tables(), before, 'WordPress would not know a hash with them')
})
