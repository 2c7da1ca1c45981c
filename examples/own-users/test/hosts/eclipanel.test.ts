import t from 'tap'
import { fixturePassword } from '../../dist/fixtures/fixture.js'
import { type Host, hosts } from '../../dist/hosts.js'
import { startPanel } from '../support/panel.js'
import { argon2id, testHost } from '../support/test-host.js'

testHost({
  name: 'eclipanel',
  suspend: 'UPDATE "user" SET suspended = true WHERE id = $1 RETURNING id',
  newPassword: 'UPDATE "user" SET "passwordHash" = $2 WHERE id = $1 RETURNING id',
  // Ada's argon2id is stronger than a new one would be.
  upgraded: { table: 'user', column: 'passwordHash', form: argon2id, rows: [2] },
  refused: ['eve@example.org'],
})

t.test('eclipanel: organisations are there', async (t) => {
  const { login, reset } = await startPanel(t, hosts['eclipanel'] as Host, true)
  await reset()
  for (const [name, role] of [
    ['ada', 'owner'],
    ['bob', 'member'],
  ]) {
    const { body } = await login(`${name}@example.org`, fixturePassword)
    t.same(body.user.memberships, [{ organisationId: '1', role }])
  }
})
