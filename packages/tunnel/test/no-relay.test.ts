import t from 'tap'
import { openChannel } from './support/channel.js'
import { startPanel } from './support/panel.js'

const panel = await startPanel({ config: { relay: false } })
t.teardown(() => panel.stop())

t.test('without a relay there are devices and channels, but no allocations', async (t) => {
  const device = await panel.enrol({ id: 'alice' })
  const made = await panel.call('POST', '/api/tunnel/allocations', {
    token: device.token,
    json: { protocol: 'tcp', localPort: 1 },
  })
  t.same([made.status, made.body.error], [503, 'no_relay_available'])
  t.ok(Number(made.headers.get('retry-after')) > 0)
  t.same((await panel.call('GET', '/api/tunnel/relays', { as: { id: 'alice' } })).body, { relays: [] })
  const channel = await openChannel(panel, device.token)
  t.match(await channel.message('state'), { allocations: [], relays: [] })
  channel.socket.close()
  const ready = await fetch(`${panel.url}/api/health/ready`)
  t.equal(ready.status, 200)
})
