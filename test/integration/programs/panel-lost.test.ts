// The panel dies and comes back, while a stand-alone relay and an agent, programs of their own, keep players.
import { readFile, writeFile } from 'node:fs/promises'
import { createAgent, createControlChannel, createRelay, createRelayChannel } from '@sallyport/relay'
import t from 'tap'
import { freePort } from '../../../packages/relay/dist-test/free-port.js'
import { sallyport } from '../../support/agent.js'
import type { Api } from '../../support/api.js'
import { until, within } from '../../support/deadline.js'
import { askTcp, labelledService, talker, udpTalker } from '../../support/tunnel/labelled-service.js'
import { startStory } from '../../support/tunnel/story.js'

/** The longest wait between two tries, and what it takes. */
const backWithinMs = 60_000

async function isRelayOnline(admin: Api, name: string): Promise<boolean> {
  const { relays } = await admin.ok<{ relays: { name: string | null; online: boolean }[] }>('GET', '/api/tunnel/relays')
  return relays.some((relay) => relay.name === name && relay.online)
}

t.test('a panel that is killed', async (t) => {
  const outer = t
  const story = await startStory(t, { RELAY_EMBEDDED: 'false' })
  const { admin } = story
  const device = await story.relayDevice()
  const config = `${story.config}.relay`
  await writeFile(config, JSON.stringify({ panel: story.url, ...device, deviceId: device.id }), { mode: 0o600 })
  const dataPort = String(await freePort())
  const startRelay = () =>
    sallyport(t, ['relay', '--config', config, '--data-port', dataPort, '--public-host', '127.0.0.1'])
  let relay = startRelay()
  await until('the relay', () => isRelayOnline(admin, 'far away'))
  const service = await labelledService(t, 'home')
  const agent = await story.run(['--local-port', String(service.port), '--protocol', 'both'])
  const tunnel = await story.tunnel(service.port)
  t.match(tunnel, { relayName: 'far away', relayOnline: true })
  const said = () => agent.stdout + agent.stderr
  let player = await talker(t, tunnel.port)
  t.equal(await until('a player', () => player.ask('hello')), 'home:hello')
  const udpPlayer = await udpTalker(t, tunnel.port)
  t.equal(await udpPlayer.ask('hello'), 'home:hello')

  await t.test('keeps nobody from playing', async (t) => {
    await story.panel().program.stop('SIGKILL')
    await until('agent and relay know', () =>
      [said(), relay.stdout + relay.stderr].every((text) => /lost|reach/.test(text)),
    )
    t.equal(await player.ask('still here'), 'home:still here')
    t.equal(await udpPlayer.ask('me too'), 'home:me too')
    t.equal(await askTcp(t, tunnel.port, 'new'), 'home:new')
    const newcomer = await udpTalker(t, tunnel.port)
    t.equal(await newcomer.ask('new'), 'home:new')
    const { code, stderr } = await story.command(['allocations'])
    t.equal(code, 69)
    t.match(stderr, /out of reach/)
  })

  await t.test(
    'keeps no relay from a restart: it serves what it knows, and the agent comes back by itself',
    async (t) => {
      t.match(await relay.stop(), { code: 0 })
      await player.closed
      relay = startRelay()
      await until('a player', async () => (await askTcp(t, tunnel.port, 'back')) === 'home:back', backWithinMs)
      player = await talker(outer, tunnel.port)
      t.equal(await player.ask('and staying'), 'home:and staying')
    },
  )

  await t.test('finds all of them there when it is back, and nobody is told otherwise', async (t) => {
    const before = said().length
    await story.restartPanel()
    const back = performance.now()
    await until('the agent is back', () => /connected to/.test(said().slice(before)), backWithinMs)
    t.comment(`the agent was back after ${Math.round(performance.now() - back)} ms`)
    await until('the relay is back', () => isRelayOnline(admin, 'far away'), backWithinMs)
    t.comment(`the relay was back after ${Math.round(performance.now() - back)} ms`)
    const after = await until('the tunnels are open', async () => {
      const tunnels = await story.tunnels()
      return tunnels.every(({ status }) => status === 'open') && tunnels
    })
    t.match(
      after.find(({ id }) => id === tunnel.id),
      { port: tunnel.port, relayOnline: true },
    )
    t.equal(await player.ask('the same one'), 'home:the same one')
    t.equal(await udpPlayer.ask('the same one'), 'home:the same one')
    t.notMatch(said().slice(before), /offline|away\)/)
    // What the relay counted since its restart; what it could tell nobody before that is forgotten.
    await until('the counts', async () => {
      const traffic = (await story.tunnels()).find(({ id }) => id === tunnel.id)?.traffic
      return traffic?.open === 1 && traffic.connections >= 2
    })
  })

  await t.test('steers them as before', async (t) => {
    await admin.ok('POST', `/api/tunnel/allocations/${tunnel.id}/close`)
    await within('the player’s end', player.closed, 5_000)
    await admin.ok('POST', `/api/tunnel/allocations/${tunnel.id}/open`)
    t.equal(await until('a player', () => askTcp(t, tunnel.port, 'again')), 'home:again')
  })

  t.match(await agent.stop(), { code: 0 })
  t.match(await relay.stop(), { code: 0 })
  t.notMatch(await readFile(`${config}.state`, 'utf8'), device.token)
})

/** So many tries there are in ten minutes, when each waits for 30 s but the first few. */
const tries = 24
const quick = {
  quickMinMs: 5,
  quickMaxMs: 20,
  slowStartMs: 20,
  maxMs: 40,
  statusIntervalMs: 200,
  reportIntervalMs: 100,
}

t.test('a panel that is away for as many tries as there are in ten minutes', async (t) => {
  const story = await startStory(t, { RELAY_EMBEDDED: 'false' })
  const { admin } = story
  const device = await story.relayDevice()
  const relay = createRelay({ id: device.id, dataPort: 0, publicHost: '127.0.0.1' })
  await relay.start()
  const relayChannel = createRelayChannel({ panel: story.url, token: () => device.token, relay, timings: quick })
  const agent = createAgent()
  const token = await story.token()
  const channel = createControlChannel({ panel: story.url, token: () => token, agent, timings: quick })
  t.teardown(() => Promise.all([channel.stop(), relayChannel.stop(), agent.stop(), relay.stop()]))
  const lost = { agent: 0, relay: 0 }
  channel.on('disconnected', () => {
    lost.agent += 1
  })
  relayChannel.on('disconnected', () => {
    lost.relay += 1
  })
  for (const one of [relayChannel, channel]) one.start()
  await until('the relay', () => isRelayOnline(admin, 'far away'))
  const service = await labelledService(t, 'home')
  t.match(await story.command(['open', '--local-port', String(service.port), '--json']), { code: 0 })
  const { port, id } = await story.tunnel(service.port)
  const player = await talker(t, port)
  t.equal(await until('a player', () => player.ask('hello')), 'home:hello')
  const linkOf = () => agent.links()[0]?.connectedAt
  const link = linkOf()
  t.ok(link)

  await story.panel().program.stop('SIGKILL')
  let passed = 0
  await until('ten minutes', async () => {
    // Players come and go all the while.
    t.equal(await askTcp(t, port, `guest ${passed}`), `home:guest ${passed}`)
    passed += 1
    return lost.agent >= tries && lost.relay >= tries
  })
  t.equal(await player.ask('still here'), 'home:still here')
  t.same(linkOf(), link, 'the link to the relay was never touched')
  await story.restartPanel()
  await until('both are back', () => channel.connected && relayChannel.connected)
  t.equal(await player.ask('here yet'), 'home:here yet')
  t.same(linkOf(), link, 'nor now')
  const counted = await until('the counts', async () => {
    const tunnel = (await story.tunnels()).find((one) => one.id === id)
    return tunnel?.traffic.connections === passed + 1 && tunnel
  })
  t.match(counted, { status: 'open', traffic: { open: 1 } }, `${passed} guests came meanwhile`)
})
