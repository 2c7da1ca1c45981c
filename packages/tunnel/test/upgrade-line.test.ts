import { Agent, get } from 'node:http'
import t from 'tap'
import { openChannel } from './support/channel.js'
import { startPanel } from './support/panel.js'

t.test('requests that only look like upgrades keep no agent away', async (t) => {
  const panel = await startPanel({ config: { relay: false } })
  t.teardown(() => panel.stop())
  const device = await panel.enrol({ id: 'alice' })
  const agent = new Agent({ keepAlive: true, maxSockets: 10 })
  t.teardown(() => agent.destroy())
  const headers = { upgrade: 'websocket', connection: 'keep-alive' }
  const ask = () =>
    new Promise<number | undefined>((resolve, reject) => {
      const request = get(`${panel.url}/api/tunnel/ws`, { agent, headers }, (response) => {
        response.resume().once('end', () => resolve(response.statusCode))
      })
      request.once('error', reject)
    })
  const statuses = await Promise.all(Array.from({ length: 2_010 }, ask))
  t.same([...new Set(statuses)], [426])
  const channel = await openChannel(panel, device.token)
  t.ok(channel.isOpen)
  channel.socket.close()
})
