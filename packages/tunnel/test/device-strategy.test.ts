import { randomUUID } from 'node:crypto'
import { Database, Tokens } from '@sallyport/core'
import { authenticationStrategyContract } from '@sallyport/core/testing'
import t from 'tap'
import { createDeviceStrategy, deviceTokenPurpose } from '../dist/device-strategy.js'
import { createSql } from '../dist/sql.js'
import { admin, startPanel } from './support/panel.js'

const panel = await startPanel({ config: { relay: false } })
t.teardown(() => panel.stop())
const tokens = panel.kernel.get(Tokens)
const issuer = tokens.issuer(deviceTokenPurpose)
const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } })

authenticationStrategyContract({ test: (name, body) => t.test(name, body) }, async () => {
  const device = await panel.enrol({ id: 'alice' })
  return {
    strategy: createDeviceStrategy(createSql(panel.kernel.get(Database)), issuer, undefined),
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
