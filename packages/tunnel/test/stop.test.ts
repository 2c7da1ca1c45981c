import { Database } from '@sallyport/core'
import t from 'tap'
import { startPanel } from './support/panel.js'

t.test('stops cleanly while the database refuses', async (t) => {
  const panel = await startPanel()
  t.teardown(() => panel.kernel.stop().catch(() => undefined))
  await panel.enrol({ id: 'alice' })
  await panel.kernel.get(Database).sequelize.query('ALTER TABLE tunnel_devices RENAME TO away')
  await t.resolves(panel.kernel.stop())
})
