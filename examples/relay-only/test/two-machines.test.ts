import { randomBytes, randomInt } from 'node:crypto'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { type Game, startGame } from '../dist/game.js'
import { chatOnce, moveOnce } from './support/players.js'
import { type Program, run } from './support/program.js'

const RELAY_SECRET = randomBytes(32).toString('hex')
const portsPerSlot = 1_250
const given = new Set<number>()
const link = /agent\.js --relay localhost:(\d+) --fingerprint ([0-9a-f]{64})/

interface Relay {
  readonly program: Program
  readonly dataPort: string
  readonly fingerprint: string
  readonly ports: readonly number[]
}

async function startRelay(t: Test, args: readonly string[]): Promise<Relay> {
  const program = run(t, 'dist/relay.js', ['--bind-host', '127.0.0.1', ...args], { RELAY_SECRET })
  const [, dataPort = '', fingerprint = ''] = await program.line(link)
  const lines = program.output.matchAll(/^(?:tcp|udp) localhost:(\d+) listening$/gm)
  return { program, dataPort, fingerprint, ports: [...lines].map(([, port]) => Number(port)) }
}

function startAgent(t: Test, { dataPort, fingerprint }: Relay, secret = RELAY_SECRET): Program {
  const args = ['--relay', `localhost:${dataPort}`, '--fingerprint', fingerprint]
  return run(t, 'dist/agent.js', args, { RELAY_SECRET: secret })
}

async function newGame(t: Test): Promise<Game> {
  const game = await startGame()
  t.teardown(() => game.close())
  return game
}

async function scratch(t: Test): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'sallyport-relay-only-'))
  t.teardown(() => rm(directory, { recursive: true, force: true }))
  return directory
}

/** A TCP port that is free now, and that the system gives to nobody by itself in the meantime. */
async function freePort(): Promise<number> {
  // Of the test files that run at one time each has another slot.
  const from = 20_000 + (Number(process.env['SALLYPORT_TEST_SLOT'] ?? 0) % 8) * portsPerSlot
  for (;;) {
    const port = from + randomInt(portsPerSlot)
    if (given.has(port)) continue
    given.add(port)
    const server = createServer()
    const isFree = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false))
      server.listen(port, '127.0.0.1', () => resolve(true))
    })
    if (!isFree) continue
    await new Promise((resolve) => server.close(resolve))
    return port
  }
}

t.test('relay and agent as two programs; each may be restarted', async (t) => {
  const game = await newGame(t)
  const state = join(await scratch(t), 'relay.json')
  const [dataPort, tcpPort, udpPort] = [await freePort(), await freePort(), await freePort()]
  const fixed = ['--state', state, '--data-port', String(dataPort)]
  const tunnels = [...['--tunnel', `tcp:${tcpPort}=${game.tcpPort}`], ...['--tunnel', `udp:${udpPort}=${game.udpPort}`]]
  const relay = await startRelay(t, [...fixed, ...tunnels])
  t.same(relay.ports, [tcpPort, udpPort])
  const agent = startAgent(t, relay)
  await agent.line(/linked/)
  t.match(await chatOnce(tcpPort, 'first'), /welcome/)
  t.equal(await moveOnce(udpPort, '1,1'), 'at 1,1')
  await relay.program.line(new RegExp(`^tcp ${tcpPort}: \\d here, 1 so far`, 'm'))
  t.equal((await stat(state)).mode & 0o777, 0o600)
  t.notOk((await readFile(state, 'utf8')).includes(RELAY_SECRET), 'the key that was given is not kept')

  t.equal(await relay.program.stop(), 0)
  await agent.line(/no link to the relay/)
  // It knows its tunnels from its state.
  const again = await startRelay(t, fixed)
  t.same(again.ports, relay.ports, 'the same ports')
  t.equal(again.fingerprint, relay.fingerprint, 'the same certificate')
  t.match(await chatOnce(tcpPort, 'second'), /welcome/, 'the agent came back by itself')
  t.equal(await moveOnce(udpPort, '2,2'), 'at 2,2')

  t.equal(await agent.stop('SIGINT'), 0)
  await again.program.line(/agent home went/)
  const next = startAgent(t, again)
  await next.line(/linked/)
  t.match(await chatOnce(tcpPort, 'third'), /welcome/, 'a new agent makes its own ticket')

  // A crash, and other tunnels than before.
  await again.program.stop('SIGKILL')
  const changed = await startRelay(t, [...fixed, '--tunnel', `tcp:${tcpPort}=${game.tcpPort}`])
  t.same(changed.ports, [tcpPort], 'what the command says counts')
  t.match(await chatOnce(tcpPort, 'fourth'), /welcome/)
})

t.test('without a state the certificate is another, and the agent does not link', async (t) => {
  const game = await newGame(t)
  const tunnel = ['--tunnel', `tcp:0=${game.tcpPort}`, '--data-port', String(await freePort())]
  const relay = await startRelay(t, tunnel)
  const agent = startAgent(t, relay)
  await agent.line(/linked/)
  await relay.program.stop()
  const other = await startRelay(t, tunnel)
  t.not(other.fingerprint, relay.fingerprint)
  await agent.line(/no link to the relay \(certificate_mismatch\)/)
  await startAgent(t, other).line(/linked/)
})

t.test('another secret opens nothing', async (t) => {
  const relay = await startRelay(t, ['--tunnel', 'tcp:0=9', '--data-port', '0'])
  const agent = startAgent(t, relay, randomBytes(32).toString('hex'))
  await agent.line(/no link to the relay \(ticket_invalid\)/)
  t.notMatch(relay.program.output, /agent home is here/)
  t.equal(await agent.stop(), 0)
})

t.test('the agent says which players cannot be served, and dials no more than it may', async (t) => {
  const relay = await startRelay(t, ['--tunnel', `tcp:0=${await freePort()}`, '--data-port', '0'])
  const [port = 0] = relay.ports
  const agent = startAgent(t, relay)
  await agent.line(/linked/)
  const knock = () => fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(5_000) })
  await t.rejects(knock())
  await agent.line(/players cannot be served: \d+ target_refused/)
  await agent.stop()
  const args = ['--relay', `localhost:${relay.dataPort}`, '--fingerprint', relay.fingerprint, '--allow', '127.0.0.1:1']
  const narrow = run(t, 'dist/agent.js', args, { RELAY_SECRET })
  await narrow.line(/linked/)
  await t.rejects(knock())
  await narrow.line(/target_forbidden/)
})

t.test('wrong usage is 2 and one line, a failure 1', async (t) => {
  const print = '0'.repeat(64)
  const wrong: [string, string[], string?][] = [
    ['relay', []],
    ['relay', ['--tunnel', 'tcp:70000']],
    ['relay', ['--tunnel', 'tcp:1=0']],
    ['relay', ['--tunnel', 'sctp:1']],
    ['relay', ['--tunnel', 'tcp:1', '--data-port', 'x']],
    ['relay', ['--tunnel', 'tcp:1', '--what']],
    ['relay', ['--tunnel', 'tcp:1'], 'too short'],
    ['agent', []],
    ['agent', ['--relay', 'localhost']],
    ['agent', ['--relay', 'localhost:0', '--fingerprint', print]],
    ['agent', ['--relay', 'localhost:1', '--fingerprint', 'abc']],
    ['agent', ['--relay', 'localhost:1', '--fingerprint', print, '--allow', 'nonsense']],
    ['agent', ['--relay', 'localhost:1', '--fingerprint', print], 'too short'],
  ]
  for (const [name, args, secret = RELAY_SECRET] of wrong) {
    const program = run(t, `dist/${name}.js`, args, { RELAY_SECRET: secret })
    t.equal(await program.code, 2, `${name} ${args.join(' ')}`)
    t.match(program.errors, /^[^\n]+\n$/)
    t.notMatch(program.errors, new RegExp(secret))
  }

  const taken = await startRelay(t, ['--tunnel', 'tcp:0=9', '--data-port', '0'])
  const second = run(
    t,
    'dist/relay.js',
    ['--bind-host', '127.0.0.1', '--tunnel', 'tcp:0=9', '--data-port', taken.dataPort],
    { RELAY_SECRET },
  )
  t.equal(await second.code, 1)
  t.match(second.errors, /data port/)
})

t.test('a state that cannot be read is kept aside, and the relay starts anew', async (t) => {
  const directory = await scratch(t)
  const state = join(directory, 'relay.json')
  await writeFile(state, '{ broken')
  const relay = await startRelay(t, ['--state', state, '--tunnel', 'tcp:0=9', '--data-port', '0'])
  t.match(relay.program.errors, /RELAY_ERR_STORAGE_CORRUPT|cannot be read/)
  t.equal(await relay.program.stop(), 0)
})
