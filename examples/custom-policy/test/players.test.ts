import { missingPostgres, skipWithout, startPostgres } from '@sallyport/core/testing'
import t from 'tap'
import { loadRules } from './support/rules.js'

const attempt = (remotePort: number, more: object = {}) => ({
  ...({
    relayId: 'relay',
    allocationId: 1,
    deviceId: 'device',
    ownerId: 'bob',
    organisationId: null,
    protocol: 'tcp',
    port: 20_000,
  } as const),
  ...{ remoteAddress: '198.51.100.7', remotePort },
  ...more,
})
const ended = { bytesIn: 0, bytesOut: 0, durationMs: 1_000, reason: 'end' } as const
const { signal } = new AbortController()

// Who comes at once comes at once only where there are several connections.
const withoutPostgres = skipWithout('Postgres', missingPostgres())

t.test('players of an account are counted over tunnels and relays', { skip: withoutPostgres }, async (t) => {
  const postgres = await startPostgres()
  t.teardown(() => postgres[Symbol.asyncDispose]())
  const { hooks, accounts, sql, decisions } = await loadRules(t, postgres.url)
  const { decide } = hooks.beforeConnection
  const allowed = async (...players: ReturnType<typeof attempt>[]): Promise<number> => {
    const verdicts = await Promise.all(players.map(async (player) => decide(player, signal)))
    return verdicts.filter(({ allow }) => allow).length
  }
  await accounts.save({ id: 'bob', plan: 'free', region: 'eu' })

  const all = Array.from({ length: 20 }, (_, index) =>
    attempt(1_000 + index, { allocationId: index % 3, relayId: `r${index % 2}` }),
  )
  t.equal(await allowed(...all), 2, 'who come at once get no more than there are')
  t.equal(await allowed(attempt(3_000, { deviceId: 'another', allocationId: 9 })), 0, 'his other machine counts too')
  t.equal(
    await allowed(attempt(3_000, { deviceId: 'elsewhere', ownerId: 'ada', allocationId: 10 })),
    1,
    'others do not',
  )
  t.equal(await allowed(attempt(3_001, { organisationId: 'guild', allocationId: 11 })), 1, 'nor his organisation’s')
  t.equal(await allowed(attempt(3_002, { ownerId: null, allocationId: 12 })), 1, 'nor nobody’s')
  const last = decisions.findLast(({ allowed }) => !allowed)
  t.match(last, { about: 'connection', subject: '198.51.100.7', why: 'the plan free has 2 players at once' })

  await hooks.afterConnection(all.map((player) => ({ ...player, ...ended })))
  t.equal(await allowed(attempt(4_000), attempt(4_001), attempt(4_002)), 2, 'who left made room')
  t.equal(await allowed(attempt(4_000), attempt(4_001), attempt(4_002)), 2, 'the same players take no second seats')
  await accounts.save({ id: 'bob', plan: 'pro', region: 'eu' })
  t.equal(await allowed(attempt(4_002)), 1, 'another plan is in force at once')

  await sql(`UPDATE policy_seats SET since = now() - interval '13 hours'`)
  await accounts.save({ id: 'bob', plan: 'free', region: 'eu' })
  t.equal(await allowed(attempt(5_000)), 1, 'an end that nobody told does not count for ever')
})

t.test('bans: addresses, ranges, both families', async (t) => {
  const { hooks, bans } = await loadRules(t)
  const isAllowed = async (remoteAddress: string): Promise<boolean> =>
    (await hooks.beforeConnection.decide(attempt(1, { remoteAddress, ownerId: null }), signal)).allow
  await bans.add('203.0.113.77/24', 'cheats')
  await bans.add('192.0.2.1', 'rude')
  await bans.add('2001:db8::/32', 'bots')
  for (const banned of ['203.0.113.1', '203.0.113.255', '192.0.2.1', '2001:db8:1::9'])
    t.notOk(await isAllowed(banned), banned)
  for (const other of ['203.0.114.1', '192.0.2.2', '2001:db9::1', 'fe80::1%eth0']) t.ok(await isAllowed(other), other)
  const again = await bans.add('192.0.2.1/32', 'very rude')
  t.match(await bans.list(), [{ range: '203.0.113.0/24' }, { range: '192.0.2.1/32', reason: 'very rude' }, {}])
  t.ok(await bans.remove(again.id))
  t.notOk(await bans.remove(again.id))
  t.ok(await isAllowed('192.0.2.1'))
})
