// What one panel is told ends what another has: channels and players of a device that is revoked, older channels.
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { until, within } from '../../support/deadline.js'
import { withoutPostgres, withoutRedis } from '../../support/real-servers.js'
import type { Person } from '../../support/sign-in-panel.js'
import { startAgent } from '../../support/tunnel/agents.js'
import { type Channel, openChannel, refusal } from '../../support/tunnel/channel.js'
import { newAllocation, newDevice, onlineDevices, type TestDevice } from '../../support/tunnel/devices.js'
import { startFleet } from '../../support/tunnel/fleet.js'
import { echoService, join } from '../../support/tunnel/players.js'
import { startRelayProgram } from '../../support/tunnel/relay-program.js'

const skip = withoutPostgres || withoutRedis
const [revoked, replaced] = [4403, 4409]
/** A panel waits a second for an agent to close. */
const longerThanItsPatienceMs = 1_500

t.test('on three panels', { skip }, async (t) => {
  const fleet = await startFleet(t)
  const [a, b, c] = [fleet.panel(0), fleet.panel(1), fleet.panel(2)]
  const outer = t

  await t.test('a channel at another panel is closed at once', async (t) => {
    const asAdmin = { bearer: a.admin.token }
    const ends: [name: string, end: (device: TestDevice, owner: Person) => Promise<unknown>][] = [
      ['token regenerated', ({ id }) => a.ok('POST', `/api/tunnel/devices/${id}/regenerate-token`, asAdmin)],
      ['device deleted', ({ id }) => a.ok('DELETE', `/api/tunnel/devices/${id}/delete`, asAdmin)],
      ['owner suspended', (_, { id }) => a.ok('PATCH', `/api/users/${id}`, { ...asAdmin, body: { suspended: true } })],
      ['owner deleted', (_, { id }) => a.ok('DELETE', `/api/users/${id}`, asAdmin)],
    ]
    for (const [name, end] of ends) {
      const owner = await a.newPerson()
      const [device, bystander] = [await newDevice(a, { ownerId: owner.id }), await newDevice(a)]
      const [channel, other] = [await openChannel(t, b.url, device.token), await openChannel(t, b.url, bystander.token)]
      await end(device, owner)
      const answered = performance.now()
      t.equal(await within(name, channel.closed, 5_000), revoked, name)
      t.comment(`${name}: ${Math.round(performance.now() - answered)} ms after the answer`)
      t.equal(other.socket.readyState, other.socket.OPEN, `${name}: nobody else’s`)
      for (const panel of [a, b, c]) {
        const { code } = await refusal(t, panel.url, { authorization: `Bearer ${device.token}` })
        t.match(code, /^440[13]$/, `${name}: again`)
      }
    }
  })

  await t.test('players on a relay that another panel steers are cut', async (t) => {
    const relay = await startRelayProgram(outer, c)
    const localPort = await echoService(t)
    for (const way of ['regenerate', 'delete'] as const) {
      const device = await newDevice(a)
      const { port, relayId } = await newAllocation(a, device, { localPort })
      t.equal(relayId, relay.device.id)
      const agent = startAgent(t, b.url, device.token)
      await agent.ready()
      const bystander = await newDevice(a)
      const { port: otherPort } = await newAllocation(a, bystander, { localPort })
      await startAgent(t, b.url, bystander.token).ready()
      const [player, other] = [await join(t, port), await join(t, otherPort)]
      await player.echo('hello')
      await other.echo('hello')

      const path = `/api/tunnel/devices/${device.id}`
      const asAdmin = { bearer: a.admin.token }
      if (way === 'delete') await a.ok('DELETE', path, asAdmin)
      else await a.ok('POST', `${path}/regenerate-token`, asAdmin)
      await within(`${way}: the player’s end`, player.closed, 5_000)
      await until('the agent’s end', () => agent.refused() === 'revoked')
      await other.echo('still here')
    }
  })

  await t.test('the newest channel of a device is the one, wherever the older is', async (t) => {
    const device = await newDevice(a)
    const isOnline = async () => (await onlineDevices(c)).has(device.id)
    let older = await openChannel(t, a.url, device.token)
    for (const panel of [b, c, b, a]) {
      const newer = await openChannel(t, panel.url, device.token)
      t.equal(await within('the end of the older', older.closed, 5_000), replaced)
      t.ok(await isOnline(), 'the older one’s end does not hurt the newer')
      t.equal(newer.socket.readyState, newer.socket.OPEN)
      older = newer
    }

    const slow = older
    // It does not read, so that its close is late.
    slow.socket.pause()
    const newest = await openChannel(t, b.url, device.token)
    // The panel breaks off what does not close in time; only then is the older session over.
    t.comment(`the older one ended after ${await endOf(slow)} ms`)
    for (let look = 0; look < 10; look += 1) t.ok(await isOnline(), 'a late end neither')
    t.equal(newest.socket.readyState, newest.socket.OPEN)
    newest.socket.close()
    await until('it is offline', async () => !(await isOnline()))
  })
})

/** Until a channel that did not read is gone, milliseconds. */
async function endOf({ socket, closed }: Channel): Promise<number> {
  const start = performance.now()
  // To notice the end one has to read; by then the panel has long given up.
  await delay(longerThanItsPatienceMs)
  socket.resume()
  await within('the end of the slow one', closed, 5_000)
  return Math.round(performance.now() - start)
}
