// The whole of it, started by its script: one test, since a start takes seconds and what follows needs what came before.
import { createAgent, createControlChannel } from '@sallyport/relay'
import t, { type Test } from 'tap'
import { call, ok } from './support/api.js'
import { openStream } from './support/event-stream.js'
import {
  type Example,
  isRunning,
  processesWith,
  run,
  temporaryFolder,
  variables,
  withoutPostgres,
  withoutRedis,
} from './support/example.js'
import { join, type Player, startEcho } from './support/players.js'
import { until } from './support/until.js'

const login = { email: 'admin@localhost', password: 'correct horse battery staple' }

interface Running {
  readonly example: Example
  /** The balancer's. */
  readonly url: string
  readonly panels: readonly string[]
  /** Of one of the programs, as it runs now. */
  pid(name: string): number
}

async function start(t: Test, dataDir: string): Promise<Running> {
  const example = run(t, variables(dataDir))
  const [, url = ''] = await example.line(/^Sallyport ready at (\S+)$/m)
  return {
    example,
    url,
    panels: [...example.output.matchAll(/^panel \d: (http\S+), process/gm)].sort().map(([, panel = '']) => panel),
    pid(name) {
      const lines = [...example.output.matchAll(new RegExp(`^${name}.* process (\\d+)$`, 'gm'))]
      return Number(lines.at(-1)?.[1])
    },
  }
}

/** Ends a program as a crash would, and waits until it is there again. */
async function crash({ example, pid }: Running, name: string): Promise<void> {
  const before = pid(name)
  process.kill(before, 'SIGKILL')
  await until(`${name} is back`, () => pid(name) !== before && example.output.includes(`${name} is back`))
}

async function sampleOf(panel: string, metric: string): Promise<number> {
  const text = await (await fetch(new URL('/metrics', panel))).text()
  return Number(new RegExp(`^${metric}(?:\\{.*\\})? (\\S+)$`, 'm').exec(text)?.[1] ?? 0)
}

t.test('three panels are one', { skip: withoutPostgres || withoutRedis }, async (t) => {
  const dataDir = await temporaryFolder(t)
  const running = await start(t, dataDir)
  const { example, url, panels } = running
  t.equal(panels.length, 3)
  const pids = ['panel 1', 'panel 2', 'panel 3', 'postgres', 'redis', 'relay'].map((name) => running.pid(name))
  t.ok(pids.every(isRunning))

  const signedIn = await call(url, 'POST', '/api/auth/login', { body: login })
  t.equal(signedIn.status, 200)
  const { token } = signedIn.body
  const [cookie = ''] = signedIn.headers.getSetCookie()[0]?.split(';') ?? []
  await t.test('who signed in once is signed in everywhere, and out everywhere', async (t) => {
    for (const panel of panels) {
      t.equal((await call(panel, 'GET', '/api/auth/session', { token })).body.user?.email, login.email)
      t.equal((await call(panel, 'GET', '/api/auth/session', { cookie })).status, 200)
    }
    const { token: other } = await ok(url, 'POST', '/api/auth/login', { body: login })
    await ok(url, 'POST', '/api/auth/logout', { token: other })
    for (const panel of panels) t.equal((await call(panel, 'GET', '/api/auth/session', { token: other })).status, 401)
  })

  const started = await ok(url, 'POST', '/api/tunnel/device/start', { body: { name: 'home' } })
  t.equal(new URL(started.verificationUri).origin, url, 'links lead to the balancer')
  const stream = await openStream(t, url, token)
  t.equal(stream.status, 200)
  await until('the stream begins', () => /^event: ?devices$/m.test(stream.text))
  const { device } = await ok(url, 'POST', '/api/tunnel/device/approve', {
    token,
    body: { userCode: started.userCode },
  })
  const polled = await ok(url, 'GET', `/api/tunnel/device/poll?deviceCode=${started.deviceCode}`)
  const agent = createAgent()
  const channel = createControlChannel({ panel: url, token: () => polled.token, agent })
  channel.start()
  t.teardown(async () => {
    await channel.stop()
    await agent.stop()
  })

  const isOnline = async (panel: string, list: 'devices' | 'relays'): Promise<boolean> => {
    const body = await ok(panel, 'GET', `/api/tunnel/${list}`, { token })
    return body[list].some(({ id, online, kind }: { id: string; online: boolean; kind: string }) => {
      return online && (list === 'relays' ? kind === 'standalone' : id === device.id)
    })
  }
  await t.test('a device that is online at one panel is shown by all', async (t) => {
    for (const panel of panels) await until(`${panel} shows it`, () => isOnline(panel, 'devices'))
    const counts = await Promise.all(panels.map((panel) => sampleOf(panel, 'sallyport_tunnel_devices_online')))
    t.ok(counts.some((count) => count > 0) && counts.some((count) => count === 0), `held by some: ${counts}`)
    await until('the stream tells it', () => stream.text.includes(device.id) && /"online":true/.test(stream.text))
  })

  const localPort = await startEcho(t)
  const allocate = async (panel: string): Promise<{ port: number }> => {
    const body = { localPort, protocol: 'tcp' }
    return (await ok(panel, 'POST', '/api/tunnel/allocations', { token: polled.token, body })).allocation
  }
  const { port } = await until('a tunnel', () => allocate(url))
  const player: Player = await until('a player', async () => {
    const one = await join(t, port)
    await one.echo('hello')
    return one
  })

  await t.test('panels die, players stay', async (t) => {
    // One after the other, so whichever steers the relay and has the agent is among them.
    for (const number of [1, 2, 3]) {
      const name = `panel ${number}`
      process.kill(running.pid(name), 'SIGKILL')
      await player.echo(`while ${name} is dead`)
      const living = panels.filter((_, index) => index !== number - 1)
      for (const panel of living) {
        await until(`${panel} has the agent`, () => isOnline(panel, 'devices'))
        await until(`${panel} has the relay`, () => isOnline(panel, 'relays'))
      }
      t.equal((await call(url, 'GET', '/api/auth/session', { token })).status, 200, 'the balancer asks the others')
      await player.echo(`${name} is being started`)
      await until(`${name} is back`, () => example.output.includes(`${name} is back`))
      const back = panels[number - 1] as string
      await until(`${name} is ready`, async () => (await call(back, 'GET', '/api/health/ready')).status === 200)
      await until(`${name} is asked again`, () => example.errors.split(`${name} takes requests`).length > 2)
    }
    t.notOk(player.isGone)
    const { port: next } = await until('a new tunnel', () => allocate(url))
    await until('a player there', async () => {
      await (await join(t, next)).echo('new')
      return true
    })
  })

  for (const name of ['redis', 'postgres']) {
    await t.test(`${name} dies and comes back`, async (t) => {
      await crash(running, name)
      await player.echo(`${name} was away`)
      for (const panel of panels) {
        await until(`${panel} is ready`, async () => (await call(panel, 'GET', '/api/health/ready')).status === 200)
        await until(`${panel} knows the session`, async () => {
          return (await call(panel, 'GET', '/api/auth/session', { token })).status === 200
        })
        await until(`${panel} shows the device`, () => isOnline(panel, 'devices'))
      }
      const { port: next } = await until('a new tunnel', () => allocate(url))
      await until('a player there', async () => {
        await (await join(t, next)).echo('new')
        return true
      })
      await until('signing in', () => ok(url, 'POST', '/api/auth/login', { body: login }))
      t.notOk(player.isGone, 'players notice nothing')
    })
  }

  await t.test('an account is locked at all panels', async (t) => {
    const victim = { email: 'victim@example.com', password: 'the right password of the victim' }
    await ok(url, 'POST', '/api/users', { token, body: victim })
    const wrong = { ...victim, password: 'a wrong password' }
    let guesses = 0
    while ((await call(url, 'POST', '/api/auth/login', { body: wrong })).status === 401) guesses += 1
    t.ok(guesses > 0 && guesses <= 20, `after ${guesses} guesses over all of them`)
    for (const panel of panels) {
      const { status, headers } = await call(panel, 'POST', '/api/auth/login', { body: victim })
      t.equal(status, 429, 'the right one too')
      t.ok(Number(headers.get('retry-after')) > 0)
    }
  })

  await t.test('it ends cleanly, and goes on where it was', async (t) => {
    t.equal(await example.stop('SIGTERM'), 0, example.errors.slice(-2_000))
    t.same(await processesWith(dataDir), [], 'nothing is left behind')
    t.match(example.output, /^panel 1: /m)

    const again = await start(t, dataDir)
    const session = await call(again.url, 'GET', '/api/auth/session', { token })
    t.equal(session.status, 200, 'who was signed in still is')
    const { relays } = await ok(again.url, 'GET', '/api/tunnel/relays', { token })
    t.equal(relays.length, 1, 'the relay is the one that was enrolled')
    const { allocations } = await ok(again.url, 'GET', '/api/tunnel/allocations', { token })
    t.ok(allocations.some((allocation: { port: number }) => allocation.port === port))
    t.equal(await again.example.stop('SIGINT'), 0, again.example.errors.slice(-2_000))
    t.same(await processesWith(dataDir), [])
  })
})
