import { createSocket, type Socket as UdpSocket } from 'node:dgram'
import { EventEmitter, once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, Socket } from 'node:net'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { HAND_OVER_KINDS } from '../../dist/handover/hand-over-line.js'
import { createRelay } from '../../dist/index.js'
import { allocation, DEVICE, startRelay, until } from '../support.js'

const RUNS = 60
const TIMEOUT_MS = 300
const KINDS = [...HAND_OVER_KINDS, 'nonsense']

/** One end of an IPC channel; what the relay says is kept. Throws what its handlers throw. */
class Channel extends EventEmitter {
  connected = true
  readonly said: { kind: string; body: unknown; handle: unknown }[] = []

  send(message: unknown, handle: unknown, _options: undefined, callback: (error: Error | null) => void): boolean {
    this.said.push({ ...(message as { kind: string; body: unknown }), handle })
    setImmediate(callback, null)
    return true
  }

  say(kind: unknown, body: unknown = null, handle?: unknown, version: unknown = 1): void {
    this.emit('message', { mark: 'sallyport-relay-handover', version, kind, body }, handle)
  }

  /** Whoever has heard that it is over hears nothing more; another relay says nothing more then. */
  get listens(): boolean {
    return this.listenerCount('message') > 0
  }

  heard(kind: string): boolean {
    return this.said.some((one) => one.kind === kind)
  }
}

type Handle = Server | UdpSocket | Socket

/** Handles as another process would give them: open, and in use. */
class Handles {
  readonly #all: Handle[] = []

  async make(kind: 'server' | 'udp' | 'socket' | undefined): Promise<Handle | undefined> {
    if (kind === undefined) return undefined
    const handle = await make(kind)
    this.#all.push(handle)
    return handle
  }

  async open(): Promise<Handle[]> {
    const open: Handle[] = []
    for (const handle of this.#all) if (await isOpen(handle)) open.push(handle)
    return open
  }

  async close(): Promise<void> {
    for (const handle of await this.open()) {
      if (handle instanceof Socket) handle.destroy()
      else handle.close()
    }
  }
}

async function make(kind: 'server' | 'udp' | 'socket'): Promise<Handle> {
  if (kind === 'udp') {
    const socket = createSocket('udp4').bind(0, '127.0.0.1')
    await once(socket, 'listening')
    return socket
  }
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  if (kind === 'server') return server
  const player = connect((server.address() as AddressInfo).port, '127.0.0.1')
  const [[socket]] = (await Promise.all([once(server, 'connection'), once(player, 'connect')])) as [[Socket], unknown]
  player.on('error', () => {})
  socket.on('close', () => player.destroy())
  server.close()
  return socket
}

/** Whether players would get there. */
async function isOpen(handle: Handle): Promise<boolean> {
  if (handle instanceof Socket) return !handle.destroyed
  const address = addressOf(handle)
  if (address === undefined) return false
  if (!('listening' in handle)) return true
  const socket = connect(address.port, '127.0.0.1')
  const open = await new Promise<boolean>((resolve) =>
    socket.on('connect', () => resolve(true)).on('error', () => resolve(false)),
  )
  socket.destroy()
  return open
}

function addressOf(handle: Server | UdpSocket): AddressInfo | undefined {
  try {
    return (handle.address() as AddressInfo | null) ?? undefined
  } catch {
    return undefined
  }
}

/** A state as a relay would say it. */
function goodState(): Record<string, unknown> {
  const allocations = [allocation(1, 1), allocation(2, 1, { protocol: 'udp' })]
  const message = { allocationId: 2, target: { host: '127.0.0.1', port: 1 }, remoteAddress: '127.0.0.1', remotePort: 9 }
  const tickets = { lastStamp: 0, cutoff: 0, devices: [], spent: [] }
  const counts = { bytesIn: 0, bytesOut: 0, connections: 0, open: 0 }
  return {
    snapshot: { version: 1, relayId: 'relay', state: { revision: 1, allocations }, tickets },
    epoch: 'an epoch',
    totals: [1, 2].map((allocationId) => ({ allocationId, ...counts })),
    sockets: [1, 2, 'data', 'datagrams'],
    tables: [{ deviceId: DEVICE, id: 'a table', generations: [0] }],
    flows: [
      {
        id: 0,
        message,
        address: '127.0.0.1',
        port: 9,
        answered: true,
        validated: true,
        progress: { bytesIn: 0, bytesOut: 0, openForMs: 1 },
      },
    ],
  }
}

const junk = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    0,
    -1,
    1,
    'data',
    'datagrams',
    2,
    [],
    {},
    [[]],
    [{}],
    { toString: 1 },
    'x'.repeat(9_999),
  ),
  fc.jsonValue() as fc.Arbitrary<unknown>,
)

/** Somewhere in it, something else. */
function spoilt(value: unknown, path: number[], by: unknown): unknown {
  if (typeof value !== 'object' || value === null || path.length === 0) return by
  const keys = Object.keys(value)
  const [at = 0, ...rest] = path
  const key = keys[at % Math.max(1, keys.length)]
  if (key === undefined) return by
  const copy = (Array.isArray(value) ? [...value] : { ...value }) as Record<string, unknown>
  copy[key] = spoilt(copy[key], rest, by)
  return copy
}

const state = fc.oneof(
  junk,
  fc.constant<unknown>(undefined).map(() => goodState()),
  fc.tuple(fc.array(fc.nat(50), { maxLength: 6 }), junk).map(([path, by]) => spoilt(goodState(), path, by)),
)
const body = fc.oneof(junk, state)
const handleKind = fc.constantFrom(undefined, undefined, 'server' as const, 'udp' as const, 'socket' as const)
const message = fc.record({
  kind: fc.constantFrom(...KINDS),
  body,
  handle: handleKind,
  version: fc.constantFrom(1, 1, 1, 1, 1, 1, 1, 1, 2, null),
})

function outcomeOf(rejection: PromiseSettledResult<unknown>): string {
  return rejection.status === 'fulfilled' ? 'served' : String((rejection.reason as { code?: unknown }).code)
}

t.test(
  'a successor to which nonsense is said does not serve, and leaves nothing open',
  { timeout: 120_000 },
  async (t) => {
    await fc.assert(
      fc.asyncProperty(fc.boolean(), state, fc.array(message, { maxLength: 12 }), async (begun, first, messages) => {
        const channel = new Channel()
        const handles = new Handles()
        const relay = createRelay({ predecessor: channel })
        const started = Promise.allSettled([relay.start()])
        await until(() => channel.heard('ask'))
        if (begun) channel.say('state', first)
        for (const { kind, body, handle, version } of messages) {
          // What would make it serve is another test's.
          if (kind === 'commit' && channel.heard('ready')) continue
          const given = await handles.make(handle)
          if (channel.listens) channel.say(kind, body, given, version)
          else await handles.close()
        }
        channel.say('sockets_sent')
        channel.emit('disconnect')
        const [outcome] = await started
        const open = await handles.open()
        await handles.close()
        if (outcome === undefined || outcomeOf(outcome) !== 'RELAY_ERR_HANDOVER_FAILED') throw new Error('it serves')
        if (open.length > 0) throw new Error(`left open: ${open.map((handle) => handle.constructor.name)}`)
      }),
      { numRuns: RUNS },
    )
    t.pass()
  },
)

t.test('a successor that serves bears nonsense', { timeout: 60_000 }, async (t) => {
  const { channel, handles } = await serving(t)
  await fc.assert(
    fc.asyncProperty(fc.array(message, { maxLength: 12 }), async (messages) => {
      const late = new Handles()
      for (const { kind, body, handle } of messages)
        if (kind !== 'done') channel.say(kind, body, await late.make(handle))
      const open = await late.open()
      await late.close()
      // Whom it takes as a player it may hold for a while.
      if (open.some((handle) => !(handle instanceof Socket))) throw new Error('left open')
    }),
    { numRuns: RUNS },
  )
  t.equal((await handles.open()).length, 4, 'it still has its own')
})

t.test('a relay to whose face a successor talks nonsense goes on', { timeout: 120_000 }, async (t) => {
  const relay = await startRelay(t)
  await relay.apply({ revision: 1, allocations: [allocation(1, 1)] })
  await fc.assert(
    fc.asyncProperty(fc.array(message, { maxLength: 12 }), async (messages) => {
      const channel = new Channel()
      const handles = new Handles()
      const outcome = Promise.allSettled([relay.handOver(channel, { timeoutMs: TIMEOUT_MS })])
      for (const { kind, body, handle, version } of messages) {
        if (kind === 'ready') continue
        const given = await handles.make(handle)
        if (channel.listens) channel.say(kind, body, given, version)
        else await handles.close()
      }
      channel.emit('disconnect')
      const [settled] = await outcome
      const open = await handles.open()
      await handles.close()
      if (settled === undefined || outcomeOf(settled) !== 'RELAY_ERR_HANDOVER_FAILED') throw new Error('it has left')
      if (open.length > 0) throw new Error('left open')
      if (!relay.status().running) throw new Error('it does not go on')
    }),
    { numRuns: RUNS },
  )
  t.pass()
})

t.test('a relay that has left bears nonsense', { timeout: 60_000 }, async (t) => {
  const relay = await startRelay(t)
  await relay.apply({ revision: 1, allocations: [allocation(1, 1)] })
  const channel = new Channel()
  const left = relay.handOver(channel)
  channel.say('ask')
  await until(() => channel.heard('sockets_sent'))
  channel.say('ready')
  await left
  await fc.assert(
    fc.asyncProperty(fc.array(message, { maxLength: 12 }), async (messages) => {
      for (const { kind, body } of messages) channel.say(kind, body)
    }),
    { numRuns: RUNS },
  )
  await relay.stop()
  t.ok(channel.heard('done'))
})

async function serving(t: Test): Promise<{ channel: Channel; handles: Handles }> {
  const channel = new Channel()
  const handles = new Handles()
  const relay = createRelay({ predecessor: channel })
  t.teardown(() => relay.stop())
  const started = relay.start()
  await until(() => channel.heard('ask'))
  channel.say('state', goodState())
  for (const [name, kind] of [
    [1, 'server'],
    [2, 'udp'],
    ['data', 'server'],
    ['datagrams', 'udp'],
  ] as const)
    channel.say('socket', name, await handles.make(kind))
  channel.say('sockets_sent')
  await until(() => channel.heard('ready'))
  channel.say('commit')
  await started
  return { channel, handles }
}
