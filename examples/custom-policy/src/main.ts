// A panel with rules of its own, three real relays, two people with different plans and their players: what is decided, and why.
import { randomBytes } from 'node:crypto'
import { parseArgs } from 'node:util'
import type { Decision } from './decision.js'
import { Refused } from './demo/api.js'
import { join, startGame } from './demo/game.js'
import type { RelayProcess } from './demo/relay-process.js'
import { openScene, openTunnel, type Tunnel, waitForRelay } from './demo/scene.js'
import type { Region } from './regions.js'

const say = (line: string): void => void process.stdout.write(`${line}\n`)
const names = new Map<string, string>()
const tell = ({ about, subject, allowed, relayId, why }: Decision): void => {
  if (about === 'departure') {
    say(`    ${subject} left (${why})`)
    return
  }
  const outcome = relayId === undefined ? (allowed ? 'yes' : 'no') : (names.get(relayId) ?? relayId)
  say(`    ${about} for ${names.get(subject) ?? subject}: ${outcome} (${why})`)
}

let stay = false
try {
  stay = parseArgs({ options: { stay: { type: 'boolean', default: false } } }).values.stay
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`)
  process.exit(2)
}

let interrupt: () => void = () => undefined
const interrupted = new Promise<'interrupted'>((resolve) => {
  interrupt = () => resolve('interrupted')
})
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, interrupt)

const password = randomBytes(15).toString('base64url')
const scene = await openScene(password, tell)
const game = await startGame()
try {
  await Promise.race([demonstrate(), interrupted])
  if (stay) {
    say(`\nThe panel stays at ${scene.url}: admin@localhost, password ${password}. Ctrl-C ends it.`)
    const alive = setInterval(() => undefined, 60_000)
    await interrupted
    clearInterval(alive)
  }
} finally {
  await scene.stop()
  await game.close()
}

async function demonstrate(): Promise<void> {
  const { call, adminToken } = scene
  say('Relays:')
  const relay = async (name: string, region: Region, tier: 'standard' | 'premium'): Promise<RelayProcess> => {
    const started = await scene.relay(name, region, tier)
    names.set(started.id, name)
    say(`    ${name} (${tier})`)
    return started
  }
  const eu1 = await relay('eu-1', 'eu', 'standard')
  await relay('eu-2', 'eu', 'premium')
  const us1 = await relay('us-1', 'us', 'standard')
  const ada = await scene.person('ada', 'pro', 'eu')
  const bob = await scene.person('bob', 'free', 'eu')
  names.set(ada.device.id, 'ada (pro, eu)').set(bob.device.id, 'bob (free, eu)')

  const open = async (who: typeof ada, request: Parameters<typeof openTunnel>[2]): Promise<Tunnel | undefined> => {
    try {
      const tunnel = await openTunnel(scene, who, request)
      say(`    -> ${tunnel.relayName}:${tunnel.port}`)
      return tunnel
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      say(`    -> ${error.status} ${error.error}: ${error.message}`)
      return undefined
    }
  }

  say('\nBob opens a tunnel for his game:')
  const bobs = await open(bob, { localPort: game.port })
  say('\nBob wants UDP, then a port number of his own, then to open his SSH:')
  await open(bob, { localPort: game.port, protocol: 'udp' })
  await open(bob, { localPort: game.port, port: 25565 })
  await open(bob, { localPort: 22 })
  say('\nThree players come to Bob:')
  const players = []
  for (let player = 1; player <= 3; player += 1) players.push(await join(bobs?.port ?? 0))
  say('\nOne leaves, and another comes:')
  players[0]?.destroy()
  await departure()
  players.push(await join(bobs?.port ?? 0))
  for (const player of players) player?.destroy()

  say(
    '\nAda opens one too: two relays are near her, and the one with fewer players is taken. Then 127.0.0.1 is banned:',
  )
  const adas = await open(ada, { localPort: game.port })
  ;(await join(adas?.port ?? 0))?.destroy()
  const range = { range: '127.0.0.0/8', reason: 'cheats' }
  const { ban } = await call<{ ban: { id: number } }>('POST', '/api/bans', range, adminToken)
  await join(adas?.port ?? 0)
  await call('DELETE', `/api/bans/${ban.id}`, undefined, adminToken)

  say('\neu-1 is killed. Bob goes far rather than premium:')
  await eu1.stop('SIGKILL')
  await waitForRelay(call, adminToken, eu1.id, false)
  const moved = await open(bob, { localPort: game.port })
  ;(await join(moved?.port ?? 0))?.destroy()
  say('\nus-1 is killed too. There is none left for Bob, and one for Ada:')
  await us1.stop('SIGKILL')
  await waitForRelay(call, adminToken, us1.id, false)
  await open(bob, { localPort: game.port })
  await open(ada, { localPort: game.port })
}

/** Those who left are told in batches, once a second. */
async function departure(): Promise<void> {
  const end = performance.now() + 10_000
  const hasLeft = (): boolean => scene.decisions.some(({ about }) => about === 'departure')
  while (!hasLeft() && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, 50))
}
