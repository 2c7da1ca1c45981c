import { randomBytes, randomInt } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { startLinkProxy } from '../programs/link-proxy.js'
import { linkedPrograms, startAgentProgram, startRelayProgram } from '../programs/programs.js'
import { allocation, startEcho, startUdpEcho, until, within } from '../support.js'

const CONNECTIONS = 600
const AT_ONCE = 32
const DATAGRAMS = 20_000
const MAX_KEPT = 200
const RESEND_MS = 200
const MAX_GROWTH_BYTES = 64 * 1_048_576

/** What somebody could send who knows the protocol, or who only found the port. `heard`: what passed between agent and relay before. */
function nonsense(heard: Buffer[]): Buffer {
  const old = heard[randomInt(heard.length)] ?? Buffer.alloc(1)
  const kinds = [
    () => randomBytes(randomInt(3_000)),
    () => Buffer.from(`GET /${'x'.repeat(randomInt(200))} HTTP/1.1\r\n\r\n`),
    () => frame(randomInt(256), randomBytes(randomInt(200))),
    () =>
      frame(
        randomInt(16),
        Buffer.from(JSON.stringify({ protocol: randomInt(4), token: 'x', channel: '0', ticket: null })),
      ),
    // More announced than comes, up to all that four bytes can say.
    () => frame(randomInt(16), Buffer.alloc(4), randomInt(2 ** 32)),
    // A TLS record that says it is a ClientHello.
    () => Buffer.concat([Buffer.from([22, 3, 1, 0, 200, 1, 0, 0, 196, 3, 3]), randomBytes(randomInt(196))]),
    () => old.subarray(0, randomInt(old.length + 1)),
    () => flipped(old),
    () => Buffer.concat([old, randomBytes(20)]),
  ]
  return kinds[randomInt(kinds.length)]?.() ?? old
}

function frame(type: number, payload: Buffer, length: number = payload.length): Buffer {
  const head = Buffer.alloc(5)
  head.writeUInt8(type)
  head.writeUInt32BE(length, 1)
  return Buffer.concat([head, payload])
}

function flipped(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes)
  if (copy.length > 0) copy[randomInt(copy.length)] = randomInt(256)
  return copy
}

/** Says something, and then ends, breaks off, or stays. */
async function intrude(t: Test, port: number, bytes: Buffer): Promise<void> {
  // Another address than the agent's, so that those who stay take no place from it.
  const socket = connect({
    port,
    host: '127.0.0.1',
    ...(process.platform === 'linux' ? { localAddress: '127.0.0.9' } : {}),
  })
  t.teardown(() => socket.destroy())
  socket.on('error', () => {})
  const closed = new Promise((resolve) => socket.once('close', resolve))
  socket.resume()
  socket.write(bytes)
  const how = randomInt(3)
  if (how === 0) socket.end()
  else if (how === 1) setImmediate(() => socket.resetAndDestroy())
  await within(closed, 'the relay lets go of who says nothing sensible')
}

/** Asks on and on, one question at a time, until told to stop; gives how many answers came. Wrong or missing: rejects. */
function keepAsking(
  send: (asked: string) => void,
  onAnswer: (take: (answer: string) => void) => void,
): () => Promise<number> {
  let round = 0
  let stopping = false
  let timer: NodeJS.Timeout
  const asking = new Promise<number>((resolve, reject) => {
    const ask = () => {
      clearTimeout(timer)
      if (stopping) return resolve(round)
      round += 1
      send(`question ${round}.`)
      timer = setTimeout(() => reject(new Error(`question ${round} was not answered`)), 3_000)
    }
    onAnswer((answer) => {
      if (answer === `question ${round}.`) setImmediate(ask)
      else reject(new Error(`${answer} to question ${round}`))
    })
    ask()
  })
  asking.catch(() => {})
  return () => {
    stopping = true
    return asking
  }
}

function keepAskingByTcp(t: Test, port: number): () => Promise<number> {
  const socket: Socket = connect({ port, host: '127.0.0.1' })
  t.teardown(() => socket.destroy())
  socket.on('error', () => {})
  let text = ''
  return keepAsking(
    (asked) => socket.write(asked),
    (take) =>
      socket.on('data', (chunk: Buffer) => {
        text += chunk
        if (!text.endsWith('.')) return
        const answer = text
        text = ''
        take(answer)
      }),
  )
}

async function keepAskingByUdp(t: Test, port: number): Promise<() => Promise<number>> {
  const socket = createSocket('udp4')
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  // The garbage may fill a socket's buffer while its process has no turn; the kernel drops what comes then.
  let again: NodeJS.Timeout | undefined
  t.teardown(() => {
    clearInterval(again)
    socket.close()
  })
  const answers = new Set<string>()
  return keepAsking(
    (asked) => {
      const send = () => socket.send(asked, port, '127.0.0.1')
      send()
      again = setInterval(send, RESEND_MS)
    },
    (take) =>
      socket.on('message', (payload) => {
        const answer = String(payload)
        // What was asked twice is answered twice.
        if (answers.has(answer)) return
        answers.add(answer)
        clearInterval(again)
        take(answer)
      }),
  )
}

for (const encryption of ['tls', 'off'] as const)
  t.test(`garbage on the data port disturbs nobody; encryption ${encryption}`, async (t) => {
    const [tcp, udp] = [await startEcho(t), await startUdpEcho(t)]
    const relay = await startRelayProgram(t, { encryption, limits: { handshakeTimeoutMs: 500 } })
    const agent = await startAgentProgram(t)
    const address = await relay.address()
    const heard: Buffer[] = []
    const heardDatagrams: Buffer[] = []
    let agentPort = 0
    const proxy = await startLinkProxy(t, address.port, {
      onBytes: (bytes) => heard.length < MAX_KEPT && heard.push(bytes),
      onDatagram: (payload, port) => {
        agentPort = port
        if (heardDatagrams.length < MAX_KEPT) heardDatagrams.push(payload)
      },
    })
    await agent.connect({ ...address, port: proxy.port })
    await linkedPrograms(relay, agent)
    await relay.apply({
      revision: 1,
      allocations: [allocation(1, tcp.port), allocation(2, udp.port, { protocol: 'udp' })],
    })
    const stopTcp = keepAskingByTcp(t, await relay.port(1))
    const stopUdp = await keepAskingByUdp(t, await relay.port(2))
    await until(() => heard.length > 10)
    const before = [await relay.residentBytes(), await agent.residentBytes()] as const

    let next = 0
    const intruder = async () => {
      while (next < CONNECTIONS) {
        next += 1
        await intrude(t, address.port, nonsense(heard))
      }
    }
    const spoofer = createSocket('udp4')
    t.teardown(() => spoofer.close())
    const spoof = async () => {
      for (let sent = 0; sent < DATAGRAMS; sent += 1) {
        const payload = nonsense(heardDatagrams.length > 0 ? heardDatagrams : heard).subarray(0, 1_400)
        const to = agentPort > 0 && sent % 2 === 0 ? agentPort : address.port
        spoofer.send(payload, to, '127.0.0.1')
        if (sent % 20 === 0) await new Promise((resolve) => setImmediate(resolve))
      }
    }
    await Promise.all([spoof(), ...Array.from({ length: AT_ONCE }, intruder)])

    t.ok((await stopTcp()) > 0)
    t.ok((await stopUdp()) > 0)
    const growth = [(await relay.residentBytes()) - before[0], (await agent.residentBytes()) - before[1]]
    for (const bytes of growth) t.ok(bytes < MAX_GROWTH_BYTES, `grew by ${bytes}`)
    t.match(await relay.traffic(), [
      { connections: 1, open: 1 },
      { connections: 1, open: 1 },
    ])
    t.match(await agent.links(), [{ connected: true }])
    t.ok(relay.alive && agent.alive)
    t.equal(relay.stderr + agent.stderr, '')
  })
