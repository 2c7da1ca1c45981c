import { once } from 'node:events'
import type { Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { Refused } from '../dist/demo/api.js'
import { join, startGame } from '../dist/demo/game.js'
import { openScene, openTunnel, type Person, type Scene, waitForRelay } from '../dist/demo/scene.js'
import { until } from './support/until.js'

async function open(t: Test): Promise<{ scene: Scene; localPort: number }> {
  const scene = await openScene('correct horse battery staple')
  t.teardown(() => scene.stop())
  const game = await startGame()
  t.teardown(() => game.close())
  return { scene, localPort: game.port }
}

async function refusalOf(promise: Promise<unknown>): Promise<Refused> {
  const error = await promise.then(
    () => undefined,
    (error: unknown) => error,
  )
  if (error instanceof Refused) return error
  throw error ?? new Error('it was not refused')
}

t.test('relays are chosen as said, also when one goes away', async (t) => {
  const { scene, localPort } = await open(t)
  const { call, adminToken } = scene
  const near = await scene.relay('near', 'eu')
  const gold = await scene.relay('gold', 'eu', 'premium')
  const far = await scene.relay('far', 'asia')
  const bob = await scene.person('bob', 'free', 'eu')
  const ada = await scene.person('ada', 'pro', 'asia')
  const placed = async (who: Person, region?: string): Promise<string> =>
    (await openTunnel(scene, who, { localPort, ...(region && { region }) })).relayName

  t.equal(await placed(bob), 'near')
  t.equal(await placed(bob, 'asia'), 'far')
  t.equal(await placed(ada), 'far')
  const adas = await openTunnel(scene, ada, { localPort, region: 'eu' })
  t.ok(['near', 'gold'].includes(adas.relayName))

  // A player on the one that was chosen: the other has fewer now.
  const player = await join(adas.port)
  t.ok(player)
  t.teardown(() => player?.destroy())
  const other = adas.relayName === 'near' ? 'gold' : 'near'
  await until('the player is counted', async () => {
    const { relays } = await call<{ relays: { id: string; load: { connections: number } }[] }>(
      ...(['GET', '/api/tunnel/relays', undefined, adminToken] as const),
    )
    return relays.find(({ id }) => id === adas.relayId)?.load.connections === 1
  })
  await until('the one with fewer players is chosen', async () => {
    // What is known of relays may be a moment old, and each try is one of the few tunnels that a person may have.
    await delay(300)
    return (await placed(ada, 'eu')) === other
  })

  await near.stop('SIGKILL')
  await waitForRelay(call, adminToken, near.id, false)
  t.equal(await placed(bob), 'far', 'rather far than premium')
  t.equal(await placed(ada, 'eu'), 'gold')
  await far.stop('SIGKILL')
  await waitForRelay(call, adminToken, far.id, false)
  t.match(await refusalOf(placed(bob)), { status: 503, error: 'no_relay_available' })
  t.equal(await placed(ada), 'gold')
  t.match(
    scene.decisions.findLast(({ subject }) => subject === bob.device.id),
    { about: 'relay', allowed: false, why: /1 premium left out/ },
  )
  t.equal(gold.child.exitCode, null)
})

t.test('a relay that is on its way when it ends is not left behind', async (t) => {
  const { scene } = await open(t)
  const late = scene.relay('late', 'eu').catch(() => undefined)
  await until('it is enrolled', async () => {
    const { relays } = await scene.call<{ relays: object[] }>('GET', '/api/tunnel/relays', undefined, scene.adminToken)
    return relays.length > 0
  })
  await scene.stop()
  const relay = await late
  // Its process would keep this one alive.
  t.ok(relay === undefined || relay.child.exitCode !== null || relay.child.signalCode !== null)
})

t.test('players and tunnels are let in as said, with real sockets', async (t) => {
  const { scene, localPort } = await open(t)
  const { call, adminToken } = scene
  const relay = await scene.relay('only', 'eu')
  const bob = await scene.person('bob', 'free', 'eu')
  const refused: [object, RegExp][] = [
    [{ protocol: 'udp' }, /has tcp only, not udp/],
    [{ protocol: 'both' }, /not both/],
    [{ port: 25_000 }, /does not choose/],
    [{ localPort: 22 }, /from 1024/],
  ]
  for (const [request, why] of refused) {
    const refusal = await refusalOf(openTunnel(scene, bob, { localPort, ...request }))
    t.match(refusal, { status: 403, error: 'allocation_refused', message: why })
  }
  const { port } = await openTunnel(scene, bob, { localPort })
  const here: Socket[] = []
  t.teardown(() => {
    for (const socket of here) socket.destroy()
  })
  const comes = async (localAddress?: string): Promise<boolean> => {
    const socket = await join(port, localAddress)
    if (socket) here.push(socket)
    return socket !== undefined
  }
  const leave = async (): Promise<void> => {
    const departures = (): number => scene.decisions.filter(({ about }) => about === 'departure').length
    const before = departures()
    const left = here.splice(0)
    for (const socket of left) socket.destroy()
    await until('they are gone', () => departures() >= before + left.length)
  }

  if (process.platform === 'linux') {
    const body = { range: '127.0.0.66', reason: 'cheats' }
    const { ban } = await call<{ ban: { id: number } }>('POST', '/api/bans', body, adminToken)
    t.notOk(await comes('127.0.0.66'), 'a banned address is refused')
    t.match(scene.decisions.at(-1), { subject: '127.0.0.66', allowed: false, why: 'banned by 127.0.0.66/32: cheats' })
    t.ok(await comes('127.0.0.67'), 'another one plays')
    await call('DELETE', `/api/bans/${ban.id}`, undefined, adminToken)
    await leave()
    t.ok(await comes('127.0.0.66'), 'and so does who is forgiven')
    await leave()
  }

  t.ok(await comes())
  t.ok(await comes())
  t.notOk(await comes(), 'the plan has two players')
  await call('PUT', `/api/accounts/${bob.id}`, { plan: 'pro', region: 'eu' }, adminToken)
  t.ok(await comes(), 'the next plan has more')
  await call('PUT', `/api/accounts/${bob.id}`, { plan: 'free', region: 'eu' }, adminToken)
  const [first, ...others] = here
  first?.write('still here\n')
  const [answer] = await once(first as Socket, 'data')
  t.equal(String(answer), 'still here\n', 'nobody is sent away')
  t.equal(others.length, 2)

  // Nobody says that they left.
  await relay.stop('SIGKILL')
  await until('they are cut', () => here.every(({ destroyed }) => destroyed))
  await waitForRelay(call, adminToken, relay.id, false)
  await scene.relay('next', 'eu')
  const next = await openTunnel(scene, bob, { localPort })
  const newcomer = await join(next.port)
  t.ok(newcomer, 'the account is not full for ever')
  newcomer?.destroy()
})

t.test('the rules have routes of their own, for those who may', async (t) => {
  const { scene } = await open(t)
  const { call, adminToken } = scene
  await scene.person('bob', 'free', 'eu')
  const login = { email: 'bob@example.org', password: 'the password of bob' }
  const { token } = await call<{ token: string }>('POST', '/api/auth/login', login)
  const ban = { range: '192.0.2.1', reason: 'x' }
  t.match(await refusalOf(call('POST', '/api/bans', ban)), { status: 401 })
  t.match(await refusalOf(call('POST', '/api/bans', ban, token)), { status: 403, error: 'forbidden' })
  for (const range of ['nonsense', '192.0.2.1/33', '::ffff:192.0.2.1', '', 7]) {
    t.match(await refusalOf(call('POST', '/api/bans', { ...ban, range }, adminToken)), { status: 400 }, String(range))
  }
  t.match(await refusalOf(call('POST', '/api/bans', { ...ban, more: 1 }, adminToken)), { status: 400 })
  t.match(await refusalOf(call('DELETE', '/api/bans/1', undefined, adminToken)), { status: 404 })
  t.match(await refusalOf(call('DELETE', '/api/bans/x', undefined, adminToken)), { status: 400 })
  t.match(await refusalOf(call('PUT', '/api/accounts/bob', { plan: 'gold', region: 'eu' }, adminToken)), {
    status: 400,
  })
  t.same(await call('GET', '/api/bans', undefined, adminToken), { bans: [] })
  const openapi = await call<{ paths: Record<string, object> }>('GET', '/api/openapi.json')
  t.ok(openapi.paths['/api/bans'], 'and they are documented')
})
