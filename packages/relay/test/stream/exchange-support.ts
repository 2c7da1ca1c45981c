import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { connect as connectTls, createServer as createTlsServer } from 'node:tls'
import { createSelfSigned } from '../../dist/identity/self-signed.js'
import type { Throttle } from '../../dist/players/throttle.js'
import { DataConnection, type Exchange, type SpliceCounts, type SpliceEnd } from '../../dist/stream/data-connection.js'
import { ownBuffers } from '../../dist/stream/own-buffers.js'
import { within } from '../support.js'

interface Teardown {
  teardown(handler: () => unknown): void
}

export const START = { allocationId: 1, target: { host: '127.0.0.1', port: 1 }, remoteAddress: '::1', remotePort: 2 }

/** Two connected sockets, as two programs have them. */
export async function socketPair(t: Teardown): Promise<[client: Socket, server: Socket]> {
  const listener = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true })
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const { port } = listener.address() as AddressInfo
  const client = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true })
  const [server] = (await once(listener, 'connection')) as [Socket]
  if (client.connecting) await once(client, 'connect')
  listener.close()
  for (const socket of [client, server]) {
    socket.on('error', () => {})
    t.teardown(() => socket.destroy())
  }
  return [client, server]
}

/** The same where Node's insides do not look as expected, and reading is by 'data' events. */
export async function eventPair(t: Teardown): Promise<[client: Socket, server: Socket]> {
  const pair = await socketPair(t)
  for (const socket of pair) {
    const { _handle: handle } = socket as Socket & { _handle?: object }
    Object.defineProperty(handle, 'useUserBuffer', { value: undefined })
    if (ownBuffers(socket) !== undefined) throw new Error('its own buffers are used all the same')
  }
  return pair
}

/** The same under TLS. */
export async function tlsPair(t: Teardown): Promise<[client: Socket, server: Socket]> {
  const listener = createTlsServer({ ...createSelfSigned(), allowHalfOpen: true, noDelay: true })
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const { port } = listener.address() as AddressInfo
  const raw = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true })
  const client = connectTls({ socket: raw, rejectUnauthorized: false })
  const [server] = (await once(listener, 'secureConnection')) as [Socket]
  if (!client.authorized && client.getProtocol() === null) await once(client, 'secureConnect')
  listener.close()
  for (const socket of [client, server]) {
    socket.on('error', () => {})
    t.teardown(() => socket.destroy())
  }
  return [client, server]
}

/** Until the function that is returned is called, nothing that is written goes out. */
export function stopWriting(socket: Socket): () => void {
  let release: () => void = () => {}
  const released = new Promise<void>((resolve) => {
    release = resolve
  })
  writeBehind(socket, () => released)
  return release
}

/** Each write takes so long. */
export function delayWriting(socket: Socket, ms: number): void {
  writeBehind(socket, () => new Promise((resolve) => setTimeout(resolve, ms)))
}

function writeBehind(socket: Socket, wait: () => Promise<void>): void {
  const write = socket._write.bind(socket)
  // One at a time.
  Object.assign(socket, { _writev: null })
  socket._write = (...args) => void wait().then(() => write(...args))
}

export interface Ended {
  reason: SpliceEnd
  counts: SpliceCounts
}

/** A data connection with both its ends here: the relay's and the agent's. */
export interface Wire {
  relay: DataConnection
  agent: DataConnection
  relaySocket: Socket
  agentSocket: Socket
  events: string[]
  /** For players and targets. */
  nearPair: typeof socketPair
  /** What the agent does with a player; replaced by tests. */
  onStart: (exchange: Exchange) => void
}

export async function wire(
  t: Teardown,
  options: { flushTimeoutMs?: number; pair?: (t: Teardown) => Promise<[agent: Socket, relay: Socket]> } = {},
): Promise<Wire> {
  const { flushTimeoutMs = 5_000, pair = socketPair } = options
  const [agentSocket, relaySocket] = await pair(t)
  const events: string[] = []
  const end = (name: string) => ({
    flushTimeoutMs,
    onReady: () => void events.push(`${name} ready`),
    onClose: () => void events.push(`${name} closed`),
  })
  const relay = new DataConnection(relaySocket, end('relay'))
  const agent = new DataConnection(agentSocket, {
    ...end('agent'),
    onStart: (_message, exchange) => made.onStart(exchange),
  })
  const made: Wire = {
    relay,
    agent,
    relaySocket,
    agentSocket,
    events,
    nearPair: pair === eventPair ? eventPair : socketPair,
    onStart: (exchange) => exchange.refuse('agent_busy'),
  }
  return made
}

/** left (a player) → near ⇄ the relay's end of the wire — the agent's ⇄ far ← right (a target) */
export interface Player {
  left: Socket
  right: Socket
  near: Socket
  far: Socket
  /** The relay's and the agent's. */
  exchanges: Exchange[]
  ended: Promise<[relay: Ended, agent: Ended]>
  counted: { fromNear: number; fromFar: number }
}

export async function play(
  t: Teardown,
  on: Wire,
  options: { throttles?: { fromNear: Throttle; fromFar: Throttle } } = {},
): Promise<Player> {
  const [left, near] = await on.nearPair(t)
  const [right, far] = await on.nearPair(t)
  const exchanges: Exchange[] = []
  const counted = { fromNear: 0, fromFar: 0 }
  const agentEnded = new Promise<Ended>((resolve) => {
    on.onStart = (exchange) => {
      exchanges.push(exchange)
      exchange.accept()
      exchange.join(far, { onClose: (reason, counts) => resolve({ reason, counts }) })
    }
  })
  const relayEnded = new Promise<Ended>((resolve) => {
    const exchange = on.relay.start(START, { onAccept: () => on.events.push('accepted'), onRefuse: () => {} })
    exchanges.unshift(exchange)
    exchange.join(near, {
      onClose: (reason, counts) => resolve({ reason, counts }),
      onBytes: (fromNear, fromFar) => {
        counted.fromNear += fromNear
        counted.fromFar += fromFar
      },
      ...options,
    })
  })
  const ended = within(Promise.all([relayEnded, agentEnded]), 'the exchange')
  ended.catch(() => {})
  return { left, right, near, far, exchanges, ended, counted }
}
