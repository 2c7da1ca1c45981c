// A stand-alone relay from its enrolment to its end, as a program of its own: upgraded under play, robbed of its state, removed.
import { rm } from 'node:fs/promises'
import t from 'tap'
import { freePort } from '../../../packages/relay/dist-test/free-port.js'
import { cliFile, sallyport } from '../../support/agent.js'
import { until, within } from '../../support/deadline.js'
import { type Program, startProgram } from '../../support/program.js'
import { askTcp, labelledService, talker, udpTalker } from '../../support/tunnel/labelled-service.js'
import { listens } from '../../support/tunnel/players.js'
import { startStory } from '../../support/tunnel/story.js'

interface ListedRelay {
  readonly id: string
  readonly name: string | null
  readonly online: boolean
  readonly version: string | null
  readonly load: { readonly devices: number; readonly connections: number }
}

/** Until players are in again after the relay has made itself another certificate. */
const againWithinMs = 5_000

t.test('a relay of one’s own', async (t) => {
  const outer = t
  const story = await startStory(t, { RELAY_EMBEDDED: 'false' })
  const { admin } = story
  const config = `${story.config}.relay`
  const dataPort = String(await freePort())
  const relays = async () => (await admin.ok<{ relays: ListedRelay[] }>('GET', '/api/tunnel/relays')).relays
  const online = () => until('the relay', async () => (await relays()).find((one) => one.online))

  /** With all processes that it makes. */
  const startRelay = (): Program => {
    const args = [cliFile, 'relay', '--config', config, '--public-host', '127.0.0.1', '--data-port', dataPort]
    const program = startProgram(process.execPath, args, { detached: true })
    outer.teardown(async () => {
      try {
        process.kill(-Number(program.child.pid), 'SIGKILL')
      } catch {
        // All of them are gone.
      }
      await program.exited
    })
    return program
  }

  await t.test('is enrolled with an administrator’s key', async (t) => {
    const none = await story.command(['enroll', '--panel', story.url, '--kind', 'server'], config)
    t.match(none, { code: 2, stderr: /SALLYPORT_API_KEY/ })
    const wish = { name: 'operator', type: 'admin' }
    const { apiKey: key } = await admin.ok<{ apiKey: string }>('POST', '/api/apikeys', wish)
    const args = ['enroll', '--panel', story.url, '--kind', 'server', '--name', 'eu-1', '--config', config]
    const program = sallyport(outer, args, { SALLYPORT_API_KEY: key })
    const [userCode] = await program.line(/\b[A-Z0-9]{4}-[A-Z0-9]{4}\b/)
    await admin.ok('POST', '/api/tunnel/device/approve', { userCode })
    t.match(await program.exited, { code: 0 })
    t.match(program.stdout, /sallyport relay/)
    t.notMatch(program.stdout + program.stderr, key)
  })

  let relay = startRelay()
  t.match(await online(), { name: 'eu-1', version: /^\d+\.\d+\.\d+/ })
  const service = await labelledService(t, 'home')
  const agent = await story.run(['--local-port', String(service.port), '--protocol', 'both'])
  const { port, id, deviceId } = await story.tunnel(service.port)
  const said = () => agent.stdout + agent.stderr
  const counts = async () => (await story.tunnels()).find((one) => one.id === id)?.traffic

  await t.test('is upgraded under play: nobody is lost, and what they send is counted once', async (t) => {
    const player = await talker(t, port)
    t.equal(await until('a player', () => player.ask('hello')), 'home:hello')
    const udpPlayer = await udpTalker(t, port)
    t.equal(await udpPlayer.ask('hello'), 'home:hello')
    let asked = 'hello'.length
    const before = said().length
    for (const round of ['once', 'twice']) {
      const errors: unknown[] = []
      let playing = true
      const guests = (async () => {
        while (playing) {
          const answer = await askTcp(t, port, 'guest').catch((error: unknown) => errors.push(error))
          if (answer === 'home:guest') asked += 'guest'.length
        }
      })()
      const saidBefore = relay.stdout.length
      relay.child.kill('SIGHUP')
      await until(`${round}: another process serves`, () =>
        /relay ready|serving|took over/.test(relay.stdout.slice(saidBefore)),
      )
      t.equal(await player.ask(round), `home:${round}`)
      asked += round.length
      t.equal(await udpPlayer.ask(round), `home:${round}`)
      await until(`${round}: the panel has it`, async () => (await online()).load.devices === 1)
      playing = false
      await guests
      t.same(errors, [], `${round}: who comes meanwhile waits, and is not refused`)
    }
    t.notMatch(said().slice(before), /offline|away\)/, 'the owner is not alarmed')
    player.leave()
    t.match(
      await until('the counts', async () => {
        const traffic = await counts()
        return traffic?.open === 0 && traffic.bytesIn === asked && traffic
      }),
      { bytesIn: asked },
    )
    t.equal(relay.child.exitCode, null, 'whoever watches the first process sees it run')
  })

  await t.test('without what it had stored it is another to agents, who are told at once', async (t) => {
    t.match(await relay.stop(), { code: 0 })
    await until('it is gone', async () => (await relays()).every((one) => !one.online))
    await rm(`${config}.state`)
    relay = startRelay()
    await online()
    const back = performance.now()
    t.equal(await until('a player', () => askTcp(t, port, 'hello'), againWithinMs), 'home:hello')
    t.comment(`players were in ${Math.round(performance.now() - back)} ms after the panel had the relay`)
  })

  await t.test('removed in the panel it ends with 3, and its tunnels are offline', async (t) => {
    const [listed] = await relays()
    const player = await talker(t, port)
    await player.ask('hello')
    await admin.ok('DELETE', `/api/tunnel/devices/${listed?.id}`)
    t.match(await within('its end', relay.exited, 10_000), { code: 3 })
    t.match(relay.stderr, /--kind server/)
    await within('the player’s end', player.closed, 5_000)
    t.notOk(await listens(port))
    const [tunnel] = await until('it is said', async () => {
      const mine = (await story.tunnels()).filter((one) => one.deviceId === deviceId)
      return mine.every(({ status }) => status === 'offline') && mine
    })
    t.match(tunnel, { relayOnline: false, relayName: listed?.id })
  })

  t.match(await agent.stop(), { code: 0 })
})
