import { createSocket, type Socket as UdpSocket } from 'node:dgram'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import {
  type Agent,
  type AgentOptions,
  type AgentRelay,
  createAgent,
  createRelay,
  type Logger,
  type Relay,
  type RelayAllocation,
  type RelayEvents,
  type RelayOptions,
} from '../dist/index.js'
import { dialRelay } from '../dist/link/dial-relay.js'

const DEADLINE_MS = 15_000

interface Teardown {
  teardown(handler: () => unknown): void
}

/** Waits for a condition, not for a time, and gives the milliseconds that it took. */
export async function until(
  condition: () => unknown,
  what: string = condition.toString(),
  deadlineMs: number = DEADLINE_MS,
): Promise<number> {
  const start = performance.now()
  while (!(await condition())) {
    if (performance.now() - start > deadlineMs) throw new Error(`not within ${deadlineMs} ms: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  return Math.round(performance.now() - start)
}

export async function startRelay(t: Teardown, options: RelayOptions = {}): Promise<Relay> {
  const relay = createRelay({ dataPort: 0, ...options })
  await relay.start()
  t.teardown(() => relay.stop())
  return relay
}

export const DEVICE = 'device-1'

/** A new agent with a link that is up. */
export async function startAgent(
  t: Teardown,
  relay: Relay,
  options: AgentOptions = {},
  device = DEVICE,
  address = '127.0.0.1',
): Promise<Agent> {
  const agent = createAgent(options)
  t.teardown(() => agent.stop())
  agent.connect({ ...addressOf(relay, device), host: address })
  await linked(relay, agent, device)
  return agent
}

export function addressOf(relay: Relay, device: string = DEVICE): AgentRelay {
  return { ...doorOf(relay), ticket: relay.issueTicket(device) }
}

/** Where an agent finds the relay, and what by. */
export function doorOf(relay: Relay): Omit<AgentRelay, 'ticket'> {
  const { id, dataPort: port, encryption, fingerprint } = relay
  return { id, host: '127.0.0.1', port, encryption, ...(fingerprint === undefined ? {} : { fingerprint }) }
}

/** A connection to the relay's data port, past TLS when there is any. */
export async function dialData(t: Teardown, relay: Relay): Promise<Socket> {
  const socket = await within(
    new Promise<Socket>((resolve, reject) => {
      const dialled = dialRelay(doorOf(relay), { timeoutMs: DEADLINE_MS, onReady: resolve })
      t.teardown(() => dialled.destroy())
      dialled.on('error', reject)
    }),
    'the data port',
  )
  socket.on('error', () => {})
  return socket
}

export async function linked(relay: Relay, agent: Agent, device: string = DEVICE): Promise<void> {
  await until(() => relay.devices().some(({ deviceId }) => deviceId === device) && agent.links()[0]?.connected)
}

export function allocation(id: number, targetPort: number, more: Partial<RelayAllocation> = {}): RelayAllocation {
  return { id, deviceId: DEVICE, protocol: 'tcp', port: 0, target: { host: '127.0.0.1', port: targetPort }, ...more }
}

/** The bound public port. */
export function portOf(relay: Relay, allocationId: number): number {
  const found = relay.status().allocations.find((one) => one.allocationId === allocationId)
  if (found?.status !== 'listening') throw new Error(`allocation ${allocationId} is ${found?.status}`)
  return found.port
}

/** A TCP service on a free port. Its connections end with the test. */
export async function startService(
  t: Teardown,
  onConnection: (socket: Socket) => void,
): Promise<{ port: number; server: Server }> {
  const sockets = new Set<Socket>()
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => {})
    onConnection(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => server.close(resolve))
  })
  return { port: (server.address() as AddressInfo).port, server }
}

export function startEcho(t: Teardown): Promise<{ port: number; server: Server }> {
  return startService(t, (socket) => socket.pipe(socket))
}

const failures = new WeakMap<Socket, NodeJS.ErrnoException>()

/** A player's socket, connected; who was turned away at once may have lost it by then (see `ending`). */
export async function dial(t: Teardown, port: number, localAddress?: string): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, ...(localAddress && { localAddress }) })
  t.teardown(() => socket.destroy())
  socket.on('error', (error: NodeJS.ErrnoException) => failures.set(socket, error))
  const connected = new Promise((resolve) => socket.on('connect', resolve).on('close', resolve))
  await within(connected, 'connect')
  const failure = failures.get(socket)
  if (failure?.code === 'ECONNREFUSED') throw failure
  return socket
}

/** A player of an allocation that leads to an echo, served. */
export async function startPlayer(t: Teardown, relay: Relay, allocationId: number): Promise<Socket> {
  const socket = await dial(t, portOf(relay, allocationId))
  socket.write('a')
  await readBytes(socket, 1)
  return socket
}

/** What the relay says of its players from now on. */
export function connectionEvents(relay: Relay): RelayEvents['connection'][] {
  const events: RelayEvents['connection'][] = []
  relay.on('connection', (event) => events.push(event))
  return events
}

/** Keeps errors, and drops whatever else is logged. */
export function errorLog(): { errors: unknown[]; logger: Logger } {
  const errors: unknown[] = []
  const log = () => {}
  return { errors, logger: { debug: log, info: log, warn: log, error: (obj: unknown) => errors.push(obj) } }
}

/** A relay, an agent that is linked and one allocation that leads to the service. */
export async function startTunnel(
  t: Teardown,
  targetPort: number,
  options: {
    relay?: RelayOptions
    agent?: AgentOptions
    allocation?: Partial<RelayAllocation>
    /** Where the agent finds the relay. */
    address?: string
  } = {},
): Promise<{ relay: Relay; agent: Agent; port: number }> {
  const relay = await startRelay(t, options.relay)
  const agent = await startAgent(t, relay, options.agent, DEVICE, options.address)
  await relay.apply({ revision: 1, allocations: [allocation(1, targetPort, options.allocation)] })
  return { relay, agent, port: portOf(relay, 1) }
}

/** Everything until the end; rejects when the stream breaks off instead. */
export function readAll(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = []
  return within(
    new Promise((resolve, reject) => {
      const closed = () => reject(new Error('closed without an end'))
      if (socket.destroyed) closed()
      socket.on('data', (chunk: Buffer) => chunks.push(chunk))
      socket.on('end', () => resolve(Buffer.concat(chunks)))
      socket.on('error', reject)
      socket.on('close', closed)
      socket.resume()
    }),
    'end of the stream',
  )
}

export function readBytes(socket: Socket, count: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let length = 0
  return within(
    new Promise((resolve, reject) => {
      const take = (chunk: Buffer) => {
        chunks.push(chunk)
        length += chunk.length
        if (length < count) return
        socket.off('data', take).off('close', closed)
        socket.pause()
        resolve(Buffer.concat(chunks))
      }
      const closed = () => reject(new Error(`closed after ${length} bytes`))
      if (socket.destroyed) closed()
      socket.on('data', take).on('close', closed)
      socket.resume()
    }),
    `${count} bytes`,
  )
}

/** How the socket ends: 'end' by FIN, or an error's code. */
export function ending(socket: Socket): Promise<string> {
  return within(
    new Promise((resolve) => {
      if (socket.destroyed) resolve(failures.get(socket)?.code ?? 'destroyed')
      socket.on('end', () => resolve('end'))
      socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'error'))
      socket.on('close', () => resolve('close'))
      socket.resume()
    }),
    'an ending',
  )
}

export async function udpSocket(t: Teardown): Promise<UdpSocket & { port: number }> {
  const socket = createSocket('udp4')
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  t.teardown(() => new Promise<void>((resolve) => socket.close(() => resolve())))
  return Object.assign(socket, { port: socket.address().port })
}

export async function startUdpEcho(t: Teardown): Promise<UdpSocket & { port: number }> {
  const socket = await udpSocket(t)
  socket.on('message', (payload, from) => socket.send(payload, from.port, from.address))
  return socket
}

export function within<T>(work: Promise<T>, what: string, deadlineMs: number = DEADLINE_MS): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${deadlineMs} ms: ${what}`)), deadlineMs)
  })
  return Promise.race([work, late]).finally(() => clearTimeout(timer))
}
