// What happens to an agent from the code to the revocation, with real programs: whatever is changed in the panel holds at once.
import t from 'tap'
import { until, within } from '../../support/deadline.js'
import { askTcp, labelledService, talker, udpTalker } from '../../support/tunnel/labelled-service.js'
import { listens } from '../../support/tunnel/players.js'
import { startStory } from '../../support/tunnel/story.js'

/** The panel's answer to what is in force. */
const atOnceMs = 2_000

t.test('an agent at home', async (t) => {
  const outer = t
  const story = await startStory(t)
  const { admin } = story
  const [one, two] = [await labelledService(t, 'one'), await labelledService(t, 'two')]
  let agent = await story.run(['--local-port', String(one.port), '--protocol', 'both'])
  const tcp = await story.tunnel(one.port, 'tcp')
  const udp = await story.tunnel(one.port, 'udp')
  const path = `/api/tunnel/allocations/${tcp.id}`
  const said = () => agent.stdout + agent.stderr
  /** Works in less than two seconds from now. */
  const atOnce = async <T>(what: string, condition: () => Promise<T | undefined | false>): Promise<T> => {
    const begun = performance.now()
    const value = await until(what, condition, atOnceMs)
    outer.comment(`${what}: after ${Math.round(performance.now() - begun)} ms`)
    return value
  }

  await t.test('players come in over TCP and UDP on one number', async (t) => {
    t.equal(tcp.port, udp.port)
    t.equal(await until('a player', () => askTcp(t, tcp.port, 'hello')), 'one:hello')
    const player = await udpTalker(t, udp.port)
    t.equal(await player.ask('hi'), 'one:hi')
    await until('it says where players go', () => said().includes(`tcp localhost:${tcp.port}`))
  })

  await t.test('another target takes the next players; those who are there stay where they are', async (t) => {
    const player = await talker(t, tcp.port)
    t.equal(await player.ask('before'), 'one:before')
    await admin.ok('PATCH', path, { localPort: two.port })
    await atOnce('a player at the other target', async () => (await askTcp(t, tcp.port, 'now')) === 'two:now')
    t.equal(await player.ask('after'), 'one:after')
    await until('it is said', () => said().includes(`:${two.port}`))
    await admin.ok('PATCH', path, { localPort: one.port })
    await atOnce('and back', async () => (await askTcp(t, tcp.port, 'back')) === 'one:back')
  })

  await t.test('a pause cuts players and lets nobody in', async (t) => {
    const player = await talker(t, tcp.port)
    await player.ask('hello')
    await admin.ok('POST', `${path}/close`)
    await within('the player’s end', player.closed, atOnceMs)
    await atOnce('a closed port', async () => !(await listens(tcp.port)))
    await until('it is said', () => /closed/.test(said()))
    await admin.ok('POST', `${path}/open`)
    await atOnce('a player', async () => (await askTcp(t, tcp.port, 'again')) === 'one:again')
  })

  await t.test('limits hold for those who are there and for those who come', async (t) => {
    const player = await talker(t, tcp.port)
    await player.ask('hello')
    await admin.ok('PATCH', path, { options: { maxConnections: 1 } })
    await t.rejects(askTcp(t, tcp.port, 'one too many'))
    t.equal(await player.ask('still here'), 'one:still here')
    await admin.ok('PATCH', path, { options: { maxConnections: null } })
    await atOnce('the next one', async () => (await askTcp(t, tcp.port, 'in')) === 'one:in')
    await admin.ok('PATCH', path, { options: { deny: ['127.0.0.0/8'] } })
    await within('the player’s end', player.closed, atOnceMs)
    await t.rejects(askTcp(t, tcp.port, 'denied'))
    await admin.ok('PATCH', path, { options: null })
    await atOnce('nobody is denied', async () => (await askTcp(t, tcp.port, 'fine')) === 'one:fine')
  })

  await t.test('a tunnel that is made in the panel is served, one that is removed is not', async (t) => {
    const { deviceId } = tcp
    const body = { deviceId, localPort: two.port, protocol: 'tcp' }
    const { allocation } = await admin.ok<{ allocation: { id: number; port: number } }>(
      'POST',
      '/api/tunnel/allocations',
      body,
    )
    const player = await talker(t, allocation.port)
    t.equal(await player.ask('new'), 'two:new')
    await until('it is said', () => said().includes(`:${allocation.port}`))
    await admin.ok('DELETE', `/api/tunnel/allocations/${allocation.id}`)
    await within('the player’s end', player.closed, atOnceMs)
    await until('it is said', () => /removed/.test(said()))
  })

  await t.test('what the panel asks beyond the agent’s own rules is refused, and said once', async (t) => {
    await admin.ok('PATCH', path, { localHost: '192.0.2.1', localPort: 80 })
    for (let player = 0; player < 5; player += 1) await t.rejects(askTcp(t, tcp.port, 'out'))
    await until('it is said', () => /192\.0\.2\.1:80/.test(said()))
    t.equal(said().match(/refused: .*192\.0\.2\.1:80/g)?.length, 1)
    await admin.ok('PATCH', path, { localHost: '127.0.0.1', localPort: one.port })
    await atOnce('a player', async () => (await askTcp(t, tcp.port, 'home')) === 'one:home')
  })

  await t.test('a service that is down is one line to its owner, however many come', async (t) => {
    await admin.ok('PATCH', path, { localPort: 1 })
    for (let player = 0; player < 20; player += 1) await t.rejects(askTcp(t, tcp.port, 'anybody?'))
    await until('it is said', () => /players cannot be served/.test(said()))
    t.equal(said().match(/players cannot be served/g)?.length, 1)
    await admin.ok('PATCH', path, { localPort: one.port })
    await atOnce('a player', async () => (await askTcp(t, tcp.port, 'up')) === 'one:up')
  })

  await t.test('stopped it ends with 0 and without alarm; started again it finds its tunnels', async (t) => {
    const before = said().length
    t.same(await agent.stop('SIGINT'), { code: 0, signal: null })
    t.notMatch(said().slice(before), /lost|trying on|error/i)
    agent = await story.run(['--local-port', String(one.port), '--protocol', 'both'])
    t.equal(await until('a player', () => askTcp(t, tcp.port, 'hello again')), 'one:hello again')
    t.equal((await story.tunnels()).length, 2, 'none is made twice')
  })

  await t.test('a revoked token ends it with 3, and it says what to do', async (t) => {
    const player = await talker(t, tcp.port)
    await player.ask('hello')
    await admin.ok('POST', `/api/tunnel/devices/${tcp.deviceId}/regenerate-token`)
    t.match(await within('its end', agent.exited, 5_000), { code: 3 })
    t.match(agent.stderr, /token/)
    t.match(agent.stderr, /sallyport enroll/)
    await within('the player’s end', player.closed, 5_000)
    for (const args of [['run'], ['open', '--local-port', '1'], ['allocations', '--json']]) {
      const { code, stdout, stderr } = await story.command(args)
      t.equal(code, 3, args.join(' '))
      t.match(stdout + stderr, /sallyport enroll/)
    }
  })

  t.notMatch(said(), await story.token(), 'no token is in what it says')
  t.match(await story.panel().program.stop(), { code: 0 })
})
