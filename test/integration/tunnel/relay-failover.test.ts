// Two stand-alone relays of one host group: when one is gone for longer than the grace time, the other serves its ports.
import { randomBytes } from 'node:crypto'
import { auth, directory, session } from '@sallyport/auth'
import { database, keyring, Secret } from '@sallyport/core'
import { createTestKernel } from '@sallyport/core/testing'
import { tunnel } from '@sallyport/tunnel'
import t from 'tap'
import { until, within } from '../../support/deadline.js'
import { adminPassword } from '../../support/panel.js'
import { postgresServer, withoutPostgres } from '../../support/real-servers.js'
import { adminEmail, signInPanelAt } from '../../support/sign-in-panel.js'
import { startAgent } from '../../support/tunnel/agents.js'
import {
  allAllocations,
  newAllocation,
  newDevice,
  relays,
  setQuotas,
  type TestAllocation,
} from '../../support/tunnel/devices.js'
import { somePorts } from '../../support/tunnel/fleet.js'
import { echoService, join, listens } from '../../support/tunnel/players.js'
import { startRelayProgram } from '../../support/tunnel/relay-program.js'

/** Longer than a program takes to start on a loaded machine. */
const graceMs = 4_000
const count = 12

t.test('a relay that is gone is stood in for by another of its host group', { skip: withoutPostgres }, async (t) => {
  const postgres = await postgresServer(t)
  const ports = somePorts(200)
  const kernel = await createTestKernel({
    listen: true,
    plugins: [
      database({ url: postgres.url }),
      keyring({ secretKeys: [randomBytes(32).toString('hex')] }),
      auth({
        strategies: [session()],
        users: directory({ firstAdministrator: { email: adminEmail, password: new Secret(adminPassword) } }),
      }),
      tunnel({
        relay: false,
        portRange: ports,
        relays: { graceMs },
        gateway: { leaseIntervalMs: 300, presenceIntervalMs: 500 },
        enrolment: { startsPerMinute: 1_000 },
      }),
    ],
  })
  t.teardown(() => kernel.stop())
  const panel = { ...(await signInPanelAt(kernel.url)), url: kernel.url }
  const group = (name: string, more: string[] = []) => ['--host-group', name, ...more]
  const first = await startRelayProgram(t, panel, { args: group('ours') })
  await setQuotas(panel, { allocationsPerUser: 100 })
  const device = await newDevice(panel)
  const localPort = await echoService(t)
  const made: TestAllocation[] = []
  for (let index = 0; index < count; index += 1) made.push(await newAllocation(panel, device, { localPort }))
  t.ok(made.every(({ status, relayId }) => status === 'open' && relayId === first.device.id))
  const agent = startAgent(t, panel.url, device.token)
  await agent.ready()
  const second = await startRelayProgram(t, panel, { args: group('ours') })
  const foreign = await startRelayProgram(t, panel, { args: group('theirs') })
  const asAdmin = { bearer: panel.admin.token }
  const statusOf = async () =>
    new Set((await allAllocations(panel)).map(({ status, relayId }) => `${status} ${relayId}`))

  await t.test('gone for less than the grace time, it keeps them', async (t) => {
    await first.program.stop('SIGKILL')
    const again = first.start()
    await until('it is back', async () =>
      (await relays(panel)).find(({ id, online }) => id === first.device.id && online),
    )
    await until('all are served', async () => [...(await statusOf())].join() === `open ${first.device.id}`)
    // That may have been said before it was missed.
    const player = await until('a player', () => join(t, made[0]?.port ?? 0))
    t.same([...(await statusOf())], [`open ${first.device.id}`])
    await until('the link', () => agent.agent.links().some(({ connected }) => connected))
    player.socket.destroy()
    await again.stop('SIGKILL')
  })

  await t.test('gone for longer, the other of its group serves the same ports', async (t) => {
    const gone = performance.now()
    await until('all are moved', async () => [...(await statusOf())].join() === `open ${second.device.id}`, 30_000)
    t.comment(`after ${Math.round(performance.now() - gone)} ms, with a grace time of ${graceMs} ms`)
    const after = await allAllocations(panel)
    t.same(after.map(({ port }) => port).sort(), made.map(({ port }) => port).sort(), 'on the same ports')
    await until('a player', async () => {
      const player = await join(t, made[1]?.port ?? 0)
      await player.echo('hello again')
      return true
    })
    const { body } = await panel.ok('GET', '/api/audit', asAdmin)
    t.match(JSON.stringify(body), /allocation\.moved/, 'it is in the audit log')
    t.notOk((await statusOf()).has(`open ${foreign.device.id}`), 'no other group’s')
  })

  await t.test('the first comes back to nothing, and serves none of them twice', async (t) => {
    const again = first.start()
    await until('it is back', async () =>
      (await relays(panel)).find(({ id, online }) => id === first.device.id && online),
    )
    t.same([...(await statusOf())], [`open ${second.device.id}`])
    await until('its own log says nothing of failures', () => !/EADDRINUSE/.test(again.stderr))
    await again.stop('SIGKILL')
  })

  await t.test('with nobody to stand in, they say that they are offline', async (t) => {
    await second.program.stop('SIGKILL')
    // The first is dead too.
    await until(
      'they are offline',
      async () => [...(await statusOf())].join() === `offline ${second.device.id}`,
      30_000,
    )
    t.notOk(await listens(made[0]?.port ?? 0))
    second.start()
    await until('and open again', async () => [...(await statusOf())].join() === `open ${second.device.id}`, 30_000)
    await within(
      'a player',
      until('an echo', async () => {
        const player = await join(t, made[2]?.port ?? 0)
        await player.echo('and again')
        return true
      }),
    )
  })
})
