import { spawn } from 'node:child_process'
import { connect, type Socket } from 'node:net'
import t from 'tap'
import { Descriptors } from '../../dist/players/descriptors.js'
import { DEVICE, readBytes, until } from '../support.js'

const posix = { skip: process.platform === 'linux' ? false : 'the limit of descriptors is known on Linux' }

interface Told {
  port: number
  dataPort: number
  linked: boolean
  /** Of the whole process, since its start. */
  cpuMs: number
}

const moduleUrl = (name: string) => JSON.stringify(new URL(`../../dist/${name}.js`, import.meta.url).href)

/** Other threads take descriptors too, so that libuv's own reserve is gone when it matters. */
const BUSY = `
  import { readFile } from 'node:fs/promises'
  let busy = true
  const read = async () => { while (busy) await readFile('/etc/passwd').catch(() => {}) }
  for (let n = 0; n < 8; n += 1) void read()
  process.stdin.on('data', (text) => {
    if (String(text).includes('quiet')) busy = false
    const { user, system } = process.cpuUsage()
    process.stdout.write(JSON.stringify({ ...tell(), cpuMs: (user + system) / 1000 }) + '\\n')
  })
  process.stdin.on('end', () => process.exit())
`

/** A relay, its agent and an echo. */
const RELAY = `
  import { createServer } from 'node:net'
  import { createAgent, createRelay } from ${moduleUrl('index')}
  const echo = createServer((socket) => { socket.on('error', () => {}); socket.pipe(socket) }).listen(0, '127.0.0.1')
  await new Promise((resolve) => echo.once('listening', resolve))
  const limits = { maxHandshakesPerSource: 100000, handshakeTimeoutMs: 60000 }
  const relay = createRelay({ dataPort: 0, encryption: 'off', limits })
  await relay.start()
  const target = { host: '127.0.0.1', port: echo.address().port }
  await relay.apply({ revision: 1, allocations: [{ id: 1, deviceId: '${DEVICE}', protocol: 'tcp', port: 0, target }] })
  const agent = createAgent()
  const { id, dataPort } = relay
  agent.connect({ id, host: '127.0.0.1', port: dataPort, ticket: relay.issueTicket('${DEVICE}'), encryption: 'off' })
  const tell = () => ({ port: relay.status().allocations[0].port, dataPort, linked: relay.devices().length === 1 })
  ${BUSY}
`

/** Nothing that would open a descriptor but the port itself. */
const SERVER = `
  import { Descriptors } from ${moduleUrl('players/descriptors')}
  import { createTcpServer, listenTcp, SOCKET_OPTIONS } from ${moduleUrl('players/listen-tcp')}
  const server = createTcpServer(SOCKET_OPTIONS, new Descriptors(), 'player', (socket) => {
    socket.on('error', () => {})
    socket.pipe(socket)
  })
  const port = await listenTcp(server, { host: '127.0.0.1', port: 0 }, () => {})
  const tell = () => ({ port })
  ${BUSY}
`

/** With 128 descriptors, in a process of its own. */
function startProgram(t: Tap.Test, program: string) {
  const entry = ['--input-type=module', '-e', program]
  const child = spawn('bash', ['-c', 'ulimit -n 128 && exec "$@"', 'bash', process.execPath, ...entry], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  let ended = false
  child.on('close', () => {
    ended = true
  })
  t.teardown(async () => {
    child.kill('SIGKILL')
    await until(() => ended)
  })
  let said = ''
  child.stdout.on('data', (chunk: Buffer) => {
    said += chunk
  })
  const ask = async (word: 'tell' | 'quiet' = 'tell'): Promise<Told> => {
    said = ''
    child.stdin.write(`${word}\n`)
    await until(() => said.endsWith('\n') || ended, 'an answer')
    return JSON.parse(said) as Told
  }
  /** Of a processor, for a second in which nobody comes or goes. */
  const idleShare = async () => {
    const before = await ask('quiet')
    const startedAt = performance.now()
    await new Promise((resolve) => setTimeout(resolve, 1_000))
    return ((await ask()).cpuMs - before.cpuMs) / (performance.now() - startedAt)
  }
  return { ask, idleShare, ended: () => ended }
}

declare namespace Tap {
  type Test = Pick<typeof t, 'teardown'>
}

/** More come than there is room for, for a while. They stay. */
async function storm(t: Tap.Test, port: number): Promise<Socket[]> {
  const sockets: Socket[] = []
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
  })
  for (let wave = 0; wave < 100; wave += 1) {
    for (let n = 0; n < 20; n += 1) {
      const socket = connect(port, '127.0.0.1')
      socket.on('error', () => {})
      socket.resume()
      sockets.push(socket)
    }
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  return sockets
}

async function echoes(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  socket.write('a')
  const answered = await readBytes(socket, 1).then(
    () => true,
    () => false,
  )
  socket.destroy()
  return answered
}

t.test('a relay out of descriptors goes on with those it has, and takes others when it can', posix, async (t) => {
  const { ask, idleShare, ended } = startProgram(t, RELAY)
  await until(async () => (await ask()).linked)
  const { port, dataPort } = await ask()
  t.ok(await echoes(port))
  for (const exhausted of [port, dataPort]) {
    const sockets = await storm(t, exhausted)
    await until(() => sockets.some((socket) => socket.destroyed), 'not everybody finds room')
    const share = await idleShare()
    t.ok(share < 0.25, `${Math.round(share * 100)} % of a processor`)
    t.ok((await ask()).linked, 'the agent keeps its link')
    t.notOk(ended())
    for (const socket of sockets) socket.destroy()
    await until(() => echoes(port), 'players are served again')
  }
})

t.test('a port does not spin when libuv has no descriptor left to make room with', posix, async (t) => {
  const { ask, idleShare, ended } = startProgram(t, SERVER)
  const { port } = await ask()
  const sockets = await storm(t, port)
  const share = await idleShare()
  t.ok(share < 0.25, `${Math.round(share * 100)} % of a processor`)
  t.notOk(ended())
  const left = sockets.filter((socket) => !socket.destroyed && socket.readyState === 'open')
  t.ok(left.length > 64 && left.length < 128, `${left.length} have found room, the others were let go`)
  for (const socket of sockets) socket.destroy()
  await until(() => echoes(port), 'others find room again')
})

t.test('spare descriptors', async (t) => {
  const socket = (fd: unknown) => ({ _handle: { fd } }) as unknown as Socket
  const few = new Descriptors(128)
  t.equal(few.short(socket(111), 2), false)
  t.equal(few.short(socket(112), 2), true)
  t.equal(few.short(socket(112), 1), false)
  t.equal(few.short(socket(120), 1), true)
  t.equal(new Descriptors(1_000_000).short(socket(999_871), 2), false)
  t.equal(new Descriptors(1_000_000).short(socket(999_872), 2), true)
  t.equal(new Descriptors(Number.POSITIVE_INFINITY).short(socket(1_000_000), 2), false)
  for (const unknown of [{}, socket(undefined), socket(-1)])
    t.equal(few.short(unknown as Socket, 2), false, 'what is not known does not count')
})
