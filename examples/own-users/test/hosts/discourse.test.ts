import t from 'tap'
import { fixturePassword } from '../../dist/fixtures/fixture.js'
import { type Host, hosts } from '../../dist/hosts.js'
import { startPanel } from '../support/panel.js'
import { testHost } from '../support/test-host.js'

// Its columns are too short for another kind of hash: nothing is ever written.
testHost({
  name: 'discourse',
  suspend: "UPDATE users SET suspended_till = now() + interval '1 day' WHERE id = $1 RETURNING id",
  newPassword: "UPDATE user_passwords SET password_hash = encode(sha256($2), 'hex') WHERE user_id = $1 RETURNING id",
  refused: ['eve@example.org', 'ivy@example.org', 'other@example.org'],
})

t.test('discourse: a password that has expired is none', async (t) => {
  const { login, reset, query } = await startPanel(t, hosts['discourse'] as Host, true)
  await reset()
  await query('UPDATE user_passwords SET password_expired_at = now() WHERE user_id = $1 RETURNING id', [1])
  t.equal((await login('ada@example.org', fixturePassword)).status, 401)
})
