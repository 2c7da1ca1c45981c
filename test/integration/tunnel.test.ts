// The README's walk-through, with real programs at both ends: a panel and an agent, each a process of its own.
import { createHash, randomBytes } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { finished } from 'node:stream/promises'
import t from 'tap'
import { freePort } from '../../packages/relay/dist-test/free-port.js'
import { allocations, enroll, runAgent, sallyport } from '../support/agent.js'
import { type Api, signIn } from '../support/api.js'
import { event, until, within } from '../support/deadline.js'
import { panelEnvironment, startPanel, temporaryDirectory } from '../support/panel.js'

const gibibyte = 1024 ** 3
const chunk = randomBytes(1024 * 1024)

/** 1 GiB that differs from chunk to chunk, and its SHA-256. */
function gibibyteOfData(): { stream: Readable; digest: () => string } {
  const hash = createHash('sha256')
  let sent = 0
  const stream = new Readable({
    highWaterMark: chunk.length,
    read() {
      if (sent === gibibyte) return void this.push(null)
      const piece = Buffer.from(chunk)
      piece.writeDoubleBE(sent)
      hash.update(piece)
      sent += piece.length
      this.push(piece)
    },
  })
  return { stream, digest: () => hash.digest('hex') }
}

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await event(server, 'listening')
  return (server.address() as AddressInfo).port
}

function player(port: number): Socket {
  return connect({ host: '127.0.0.1', port, allowHalfOpen: true })
}

async function digestOf(socket: Socket): Promise<{ bytes: number; digest: string }> {
  const hash = createHash('sha256')
  let bytes = 0
  socket.on('data', (data) => {
    hash.update(data)
    bytes += data.length
  })
  await finished(socket, { writable: false })
  return { bytes, digest: hash.digest('hex') }
}

t.test('a player’s traffic passes through a tunnel, and a restart of the panel changes nothing', async (t) => {
  const outer = t
  const directory = await temporaryDirectory(t)
  // One that the system gives to nobody while the panel is away.
  const env = panelEnvironment(join(directory, 'data'), { PORT: String(await freePort()) })
  const config = join(directory, 'agent.json')
  let panel = await startPanel(t, env)
  let admin: Api = await signIn(panel.url)
  await enroll(t, panel.url, admin, config)

  // The local service: says what it gets, or gives a gibibyte to whoever asks by closing its half at once.
  const received: Promise<{ bytes: number; digest: string }>[] = []
  const given: (() => string)[] = []
  const service = createServer({ allowHalfOpen: true }, (socket) => {
    socket.once('data', (first) => {
      if (first.toString() === 'give') {
        const { stream, digest } = gibibyteOfData()
        given.push(digest)
        stream.pipe(socket)
        return
      }
      socket.unshift(first)
      const result = digestOf(socket)
      received.push(result)
      result.then(({ digest }) => socket.end(digest))
    })
  })
  t.teardown(() => service.close())
  const localPort = await listen(service)
  const { program: agent, tunnels } = await runAgent(t, admin, config, localPort)
  const [tunnel] = tunnels
  if (!tunnel) throw new Error('no tunnel')

  await t.test(
    '1 GiB to the service arrives whole, and its answer comes after the player’s half is closed',
    async (t) => {
      const { stream, digest } = gibibyteOfData()
      const socket = player(tunnel.port)
      stream.pipe(socket)
      const answer = new PassThrough()
      socket.pipe(answer)
      const [text] = await within('the answer', answer.toArray(), 120_000)
      const expected = digest()
      t.equal(String(text), expected, 'the service saw what the player sent')
      t.match(await received[0], { bytes: gibibyte, digest: expected })
    },
  )

  await t.test('1 GiB from the service arrives whole', async (t) => {
    const socket = player(tunnel.port)
    socket.end('give')
    const { bytes, digest } = await within('the end of the download', digestOf(socket), 120_000)
    t.equal(bytes, gibibyte)
    t.equal(digest, given[0]?.())
  })

  await t.test('the bytes are counted exactly', async (t) => {
    const traffic = await until('the counts', async () => {
      const [mine] = await allocations(admin)
      return mine?.traffic.open === 0 && mine.traffic.connections === 2 && mine.traffic
    })
    t.match(traffic, { bytesIn: gibibyte + 'give'.length, bytesOut: gibibyte + 64, connections: 2, open: 0 })
  })

  await t.test(
    'after SIGTERM and a new start devices, tunnels and ports are as before, and the agent is back',
    async (t) => {
      const before = await allocations(admin)
      const devices = await admin.ok<{ devices: { id: string }[] }>('GET', '/api/tunnel/devices')
      t.same(await panel.program.stop('SIGTERM', 12_000), { code: 0, signal: null })
      const port = new URL(panel.url).port
      panel = await startPanel(outer, { ...env, PORT: port })
      admin = await signIn(panel.url)
      const strip = (list: typeof before) =>
        list.map(({ id, port, deviceId, protocol, localPort, traffic }) => ({
          id,
          port,
          deviceId,
          protocol,
          localPort,
          bytesIn: traffic.bytesIn,
          bytesOut: traffic.bytesOut,
        }))
      t.same(strip(await allocations(admin)), strip(before))
      const after = await admin.ok<{ devices: { id: string }[] }>('GET', '/api/tunnel/devices')
      t.same(
        after.devices.map(({ id }) => id),
        devices.devices.map(({ id }) => id),
      )
      const echoed = await until('the agent', () => roundTrip(tunnel.port), 30_000)
      t.equal(echoed, createHash('sha256').update('hello').digest('hex'))
    },
  )

  await t.test('a panel that is killed loses nothing either', async (t) => {
    await panel.program.stop('SIGKILL')
    panel = await startPanel(outer, { ...env, PORT: new URL(panel.url).port })
    admin = await signIn(panel.url)
    t.equal((await allocations(admin))[0]?.port, tunnel.port)
    await until('the agent', () => roundTrip(tunnel.port), 30_000)
  })

  await t.test('a deleted device’s agent ends with exit code 3 and its port lets nobody in', async (t) => {
    await admin.ok('DELETE', `/api/tunnel/devices/${tunnel.deviceId}/delete`)
    t.match(await within('the end of the agent', agent.exited), { code: 3 })
    await t.rejects(roundTrip(tunnel.port))
    t.same(await allocations(admin), [])
  })

  t.same(await panel.program.stop('SIGINT', 12_000), { code: 0, signal: null })
})

/** Sends a few bytes to the service above and gives its answer; rejects when nobody answers. */
async function roundTrip(port: number): Promise<string> {
  const socket = player(port)
  try {
    socket.end('hello')
    const pieces = await within('the answer', socket.toArray(), 5_000)
    return Buffer.concat(pieces).toString()
  } finally {
    socket.destroy()
  }
}

t.test('UDP datagrams of every size come back as they were', async (t) => {
  const directory = await temporaryDirectory(t)
  const config = join(directory, 'agent.json')
  const panel = await startPanel(t, panelEnvironment(join(directory, 'data')))
  const admin = await signIn(panel.url)
  await enroll(t, panel.url, admin, config)
  const echo = createSocket('udp4')
  echo.on('message', (message, from) => echo.send(message, from.port, from.address))
  echo.bind(0, '127.0.0.1')
  await event(echo, 'listening')
  t.teardown(() => echo.close())
  const { tunnels, program } = await runAgent(t, admin, config, echo.address().port, 'both')
  t.same(tunnels.map(({ protocol }) => protocol).sort(), ['tcp', 'udp'])
  t.equal(tunnels[0]?.port, tunnels[1]?.port, 'one number serves TCP and UDP')

  const socket = createSocket('udp4')
  t.teardown(() => socket.close())
  socket.connect(tunnels[0]?.port ?? 0, '127.0.0.1')
  await event(socket, 'connect')
  const messages = Array.from({ length: 1473 }, (_, size) => randomBytes(size))
  for (const [size, message] of messages.entries()) {
    // UDP may lose a datagram, above all the first, so each is sent until it comes back.
    const echoed = await until(`a datagram of ${size} bytes`, async () => {
      const answer = event(socket, 'message', 1_000)
      socket.send(message)
      const [data] = (await answer) as [Buffer]
      // What was sent twice may be answered twice.
      const isLate = data.length < size && messages[data.length]?.equals(data) === true
      return !isLate && data
    })
    if (!echoed.equals(message)) throw new Error(`a datagram of ${size} bytes came back changed`)
  }
  t.pass('every size from 0 to 1,472 bytes')
  t.match(await program.stop('SIGTERM'), { code: 0 })
  t.match(await panel.program.stop(), { code: 0 })
})

t.test('an agent says what it does in JSON lines when asked', async (t) => {
  const program = sallyport(t, ['run', '--json', '--config', '/nonexistent/agent.json'])
  t.match(await program.exited, { code: 3 })
  t.doesNotThrow(() => JSON.parse((program.stdout || program.stderr).trim().split('\n')[0] ?? ''))
})
