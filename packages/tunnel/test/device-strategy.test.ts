import { randomUUID } from 'node:crypto'
import { createSql, Database, type DirectoryUser, Tokens, type UserDirectory } from '@sallyport/core'
import { authenticationStrategyContract } from '@sallyport/core/testing'
import t from 'tap'
import { createDeviceStrategy, deviceTokenPurpose } from '../dist/devices/device-strategy.js'
import { createOwners } from '../dist/devices/owners.js'
import { admin, startPanel } from './support/panel.js'

const panel = await startPanel({ config: { relay: false } })
t.teardown(() => panel.stop())
const tokens = panel.kernel.get(Tokens)
const issuer = tokens.issuer(deviceTokenPurpose)
const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } })

authenticationStrategyContract({ test: (name, body) => t.test(name, body) }, async () => {
  const device = await panel.enrol({ id: 'alice' })
  return {
    strategy: createDeviceStrategy(createSql(panel.kernel.get(Database)), issuer, createOwners(undefined)),
    valid: bearer(device.token),
    invalid: [
      bearer(issuer.issue({ subject: device.id, id: randomUUID() })),
      bearer(issuer.issue({ subject: randomUUID(), id: randomUUID() })),
      bearer(issuer.issue({ subject: "' OR 1=1", id: '\0' })),
      bearer(device.token.slice(0, -4)),
    ],
    foreign: [
      bearer(tokens.issuer('auth-session').issue({ subject: device.id, id: randomUUID() })),
      { headers: { authorization: 'ApiKey abc' } },
    ],
    async revoke() {
      await panel.call('DELETE', `/api/tunnel/devices/${device.id}`, { as: admin })
    },
  }
})

t.test('the token of a device whose owner is suspended or not there any more is refused', async (t) => {
  const device = await panel.enrol({ id: 'alice' })
  const sql = createSql(panel.kernel.get(Database))
  const known = { id: 'alice', email: 'a@b', name: null, permissions: [], memberships: [], suspended: false }
  const kindFor = async (owner: DirectoryUser | undefined) => {
    const directory = { findById: async () => owner } as unknown as UserDirectory
    const strategy = createDeviceStrategy(sql, issuer, createOwners(directory))
    const { headers } = bearer(device.token)
    return (await strategy.authenticate({ headers, cookies: {}, method: 'GET', ip: '127.0.0.1' } as never)).kind
  }
  t.equal(await kindFor(known), 'authenticated')
  t.equal(await kindFor({ ...known, suspended: true }), 'refused')
  t.equal(await kindFor(undefined), 'refused')
  await sql(`UPDATE tunnel_devices SET owner_stamp = 'first' WHERE id = $1`, [device.id])
  t.equal(await kindFor({ ...known, accessStamp: 'first' }), 'authenticated')
  t.equal(await kindFor({ ...known, accessStamp: 'second' }), 'refused', 'suspended and back: the token stays dead')
})
