// Clocks that are wrong, or are set while everything runs: leases, tokens and tickets go by what does not jump.
import t from 'tap'
import { until } from '../../support/deadline.js'
import { withoutPostgres, withoutRedis } from '../../support/real-servers.js'
import { startAgent } from '../../support/tunnel/agents.js'
import {
  allAllocations,
  newAllocation,
  newDevice,
  onlineDevices,
  relays,
  setQuotas,
} from '../../support/tunnel/devices.js'
import { startFleet } from '../../support/tunnel/fleet.js'
import { echoService, join } from '../../support/tunnel/players.js'
import { type RelayProgram, startRelayProgram } from '../../support/tunnel/relay-program.js'
import { steppingClock } from '../../support/tunnel/stepping-clock.js'

const minutes = 60_000
/** A relay says its time at least every 30 seconds; tickets are right again after that. */
const correctedWithinMs = 45_000

t.test('clocks that differ and jump', { skip: withoutPostgres || withoutRedis }, async (t) => {
  const outer = t
  // The first jumps ahead by a quarter of an hour when told to; the second is ten minutes ahead from the start.
  const clocks = [steppingClock(0, 15 * minutes), steppingClock(10 * minutes, -20 * minutes)]
  const fleet = await startFleet(t, { size: 2, env: (index) => ({ NODE_OPTIONS: (clocks[index] ?? []).join(' ') }) })
  const [a, b] = [fleet.panel(0), fleet.panel(1)]
  const localPort = await echoService(t)
  await setQuotas(a, { allocationsPerUser: 1_000 })

  const ahead = await startRelayProgram(outer, a, { nodeArgs: steppingClock(10 * minutes, -20 * minutes) })
  const behind = await startRelayProgram(outer, b, { nodeArgs: steppingClock(-10 * minutes) })

  /** A device with a tunnel on this relay, by this panel, and a player in it. */
  const joinThrough = async (relay: RelayProgram, index: number, readyWithinMs?: number) => {
    const panel = fleet.panel(index)
    const device = await newDevice(panel)
    const made = await until('an allocation on that relay', async () => {
      const one = await newAllocation(panel, device, { localPort })
      return one.relayId === relay.device.id && one.status === 'open' && one
    })
    const agent = startAgent(t, panel.url, device.token)
    await until(
      `the link to the relay ${relay === ahead ? 'ahead' : 'behind'} by the panel ${index}`,
      () => agent.agent.links().some(({ relayId, connected }) => relayId === relay.device.id && connected),
      readyWithinMs,
    )
    const player = await join(t, made.port)
    await player.echo('hello')
    return { player, device, agent }
  }

  const players: Awaited<ReturnType<typeof joinThrough>>[] = []

  await t.test(
    'tickets are taken by relays whose clocks are ten minutes off, either way, from either panel',
    async (t) => {
      for (const relay of [ahead, behind]) {
        for (const index of [0, 1]) players.push(await joinThrough(relay, index))
      }
      t.equal(players.length, 4)
    },
  )

  const nothingHappened = async (name: string): Promise<void> => {
    for (const panel of fleet.panels) {
      await until(`${name}: all are online`, async () => {
        const online = await onlineDevices(panel)
        return players.every(({ device }) => online.has(device.id))
      })
      t.ok(
        (await relays(panel)).every(({ online }) => online),
        `${name}: the relays are online`,
      )
      t.ok(
        (await allAllocations(panel)).every(({ status }) => status === 'open'),
        `${name}: all is served`,
      )
    }
    for (const { player, agent } of players) {
      await player.echo(name)
      t.ok(agent.channel.connected, `${name}: no channel was lost`)
    }
  }

  await t.test('a panel’s clock is set ahead, another’s back', async () => {
    const lost: string[] = []
    for (const { agent } of players) agent.channel.on('disconnected', ({ reason }) => lost.push(reason))
    for (const panel of [a, b]) {
      panel.program.child.kill('SIGUSR2')
      await nothingHappened('set')
    }
    t.same(lost, [])
    // Whoever comes now finds leases, tokens and tickets in order.
    for (const index of [0, 1]) players.push(await joinThrough(ahead, index, correctedWithinMs))
    await nothingHappened('newcomers')
  })

  await t.test('a relay’s clock is set back by twenty minutes', async () => {
    ahead.program.child.kill('SIGUSR2')
    await nothingHappened('the relay’s')
    players.push(await joinThrough(ahead, 0, correctedWithinMs))
    await nothingHappened('a newcomer at the relay')
  })

  await t.test('the database’s leases are what counts', async () => {
    const { default: pg } = await import('pg')
    const client = new pg.Client({ connectionString: fleet.postgres.url })
    await client.connect()
    try {
      // As if the database's own clock had jumped: every lease is over at once, until it is renewed.
      await client.query("UPDATE tunnel_instances SET alive_until = now() - interval '1 hour'")
    } finally {
      await client.end()
    }
    await until('all leases are renewed', async () => {
      const answers = await Promise.all(
        [a, b].map(async (panel) => [await relays(panel), await allAllocations(panel)] as const),
      )
      return answers.every(
        ([listed, served]) => listed.every(({ online }) => online) && served.every(({ status }) => status === 'open'),
      )
    })
    await nothingHappened('the leases')
  })
})
