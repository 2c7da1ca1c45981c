import { createHash, type Hash, randomBytes } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { startLinkProxy } from '../programs/link-proxy.js'
import {
  type AgentProgram,
  linkedPrograms,
  type RelayProgram,
  startAgentProgram,
  startRelayProgram,
} from '../programs/programs.js'
import { allocation, readBytes, startService, startUdpEcho, until, within } from '../support.js'

const MIB = 1_048_576
const BLOCK: Buffer = randomBytes(MIB)
const SLOW = 3
/** Far more than the kernel keeps of it on three hops, which is up to a third and not ours to say. */
const BLOCKS_EACH = 128
/** What a process may grow by while some hundred MB wait to come through. */
const MAX_GROWTH_BYTES = 48 * MIB
const STALL_MS = 500

interface Tunnel {
  relay: RelayProgram
  agent: AgentProgram
  port: number
}

async function startTunnel(t: Test, targetPort: number, protocol: 'tcp' | 'udp', datagrams = true): Promise<Tunnel> {
  const relay = await startRelayProgram(t)
  const agent = await startAgentProgram(t)
  const address = await relay.address()
  const { port } = await startLinkProxy(t, address.port, { datagrams })
  await agent.connect(datagrams ? address : { ...address, port })
  await linkedPrograms(relay, agent)
  await relay.apply({ revision: 1, allocations: [allocation(1, targetPort, { protocol })] })
  return { relay, agent, port: await relay.port(1) }
}

/** Writes the block as often as asked, as the other side takes it. `accepted`: bytes that left this process. */
function push(socket: Socket): { accepted: () => number } {
  let left = BLOCKS_EACH
  const more = () => {
    while (left > 0) {
      left -= 1
      if (!socket.write(BLOCK)) return
    }
    socket.end()
  }
  socket.on('drain', more)
  more()
  return { accepted: () => BLOCKS_EACH * MIB - left * MIB - socket.writableLength }
}

/** Nothing has moved for a while. */
async function stalled(amounts: () => number): Promise<void> {
  let last = -1
  let since = 0
  await until(() => {
    const now = amounts()
    if (now !== last) since = performance.now()
    last = now
    return performance.now() - since > STALL_MS
  }, 'the sender is held back')
}

function digest(socket: Socket): Promise<string> {
  const hash: Hash = createHash('sha256')
  return new Promise((resolve, reject) => {
    socket.on('data', (chunk: Buffer) => hash.update(chunk))
    socket.on('end', () => resolve(hash.digest('hex')))
    socket.on('close', () => reject(new Error('closed without an end')))
    socket.resume()
  })
}

function digestOfAll(): string {
  const hash = createHash('sha256')
  for (let block = 0; block < BLOCKS_EACH; block += 1) hash.update(BLOCK)
  return hash.digest('hex')
}

async function dial(t: Test, port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  t.teardown(() => socket.destroy())
  socket.on('error', () => {})
  await within(once(socket, 'connect'), 'connect')
  return socket
}

async function roundTrips(socket: Socket): Promise<void> {
  for (let round = 0; round < 100; round += 1) {
    const back = readBytes(socket, 4)
    socket.write('ping')
    await back
  }
}

for (const slow of ['player', 'target'] as const)
  t.test(`a ${slow} that does not read: bounded, nobody else waits, and in the end it is all there`, async (t) => {
    const targets: Socket[] = []
    const { port: target } = await startService(t, (socket) => {
      socket.once('data', (first: Buffer) => {
        if (first[0] === 0x78) {
          targets.push(socket.pause())
          return
        }
        socket.write(first.subarray(1))
        socket.pipe(socket)
      })
    })
    const { relay, agent, port } = await startTunnel(t, target, 'tcp')
    const lively = await dial(t, port)
    lively.write('e')
    await roundTrips(lively)
    const before = [await relay.residentBytes(), await agent.residentBytes()] as const
    const players = await Promise.all(Array.from({ length: SLOW }, () => dial(t, port)))
    for (const player of players) player.write('x')
    await until(() => targets.length === SLOW)
    const [readers, writers] = slow === 'player' ? [players, targets] : [targets, players]
    const pushed = writers.map(push)
    await stalled(() => pushed.reduce((sum, { accepted }) => sum + accepted(), 0))
    for (const { accepted } of pushed) t.ok(accepted() < BLOCKS_EACH * MIB, `${accepted()} bytes accepted`)
    await roundTrips(lively)
    const growth = [(await relay.residentBytes()) - before[0], (await agent.residentBytes()) - before[1]]
    for (const bytes of growth) t.ok(bytes < MAX_GROWTH_BYTES, `grew by ${bytes}`)
    const digests = await Promise.all(readers.map(digest))
    t.same(new Set(digests), new Set([digestOfAll()]))
    for (const socket of [...targets, ...players, lively]) socket.end()
    for (const socket of [...targets, ...players, lively]) socket.resume()
    await until(async () => (await relay.open()) === 0 && (await agent.open()) === 0, 'nothing is open any more')
  })

const DATAGRAM: Buffer = randomBytes(1_200)
const FLOOD = 100_000

for (const path of ['UDP', 'a stream'] as const)
  for (const standing of ['agent', 'relay'] as const)
    t.test(`datagrams over ${path} while the ${standing} stands still: dropped, not kept`, async (t) => {
      const echo = await startUdpEcho(t)
      const { relay, agent, port } = await startTunnel(t, echo.port, 'udp', path === 'UDP')
      const player = createSocket('udp4')
      player.bind(0, '127.0.0.1')
      await once(player, 'listening')
      t.teardown(() => player.close())
      let heard = ''
      player.on('message', (payload) => {
        if (payload.length < DATAGRAM.length) heard = String(payload)
      })
      let flow = 0
      echo.on('message', (_, from) => {
        flow = from.port
      })
      let round = 0
      const isAnswered = async () => {
        round += 1
        player.send(`round ${round}`, port, '127.0.0.1')
        await new Promise((resolve) => setImmediate(resolve))
        return heard !== ''
      }
      await until(isAnswered, 'an answer')
      const [still, other] = standing === 'agent' ? [agent, relay] : [relay, agent]
      const before = await other.residentBytes()
      still.signal('SIGSTOP')
      // From where the standing one cannot take it: players towards the agent, the service towards the relay.
      const flood =
        standing === 'agent'
          ? () => player.send(DATAGRAM, port, '127.0.0.1')
          : () => echo.send(DATAGRAM, flow, '127.0.0.1')
      for (let sent = 0; sent < FLOOD; sent += 1) {
        flood()
        if (sent % 50 === 0) await new Promise((resolve) => setImmediate(resolve))
      }
      const growth = (await other.residentBytes()) - before
      t.ok(growth < MAX_GROWTH_BYTES, `grew by ${growth}`)
      still.signal('SIGCONT')
      heard = ''
      await until(isAnswered, 'an answer again')
    })
