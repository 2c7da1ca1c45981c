import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { AgentDatagramChannel } from '../../dist/datagrams/agent-datagram-channel.js'
import type { ChannelSecrets } from '../../dist/datagrams/channel-keys.js'
import type { ChannelTimings } from '../../dist/datagrams/channel-timings.js'
import type { RelayDatagramChannel } from '../../dist/datagrams/relay-datagram-channel.js'
import { RelayDatagramEndpoint } from '../../dist/datagrams/relay-datagram-endpoint.js'
import { readFirstFrame } from '../../dist/link/first-frame.js'
import { FrameType, parseDatagrams } from '../../dist/link/protocol.js'
import { until } from '../support.js'
import { UdpProxy, type Weather } from './udp-proxy.js'

interface Teardown {
  teardown(handler: () => unknown): void
}

const SEED = 20_251_122
const LIMITS = { maxUdpBufferBytes: 262_144 }

/** As in real life, only sooner. */
const TIMINGS: Partial<ChannelTimings> = {
  tryEveryMs: 20,
  patienceMs: 100,
  tryForMs: 400,
  retryMinMs: 100,
  retryMaxMs: 200,
  keepAliveMs: 500,
  checkEveryMs: 100,
  lostMs: 300,
  restMaxMs: 1_000,
  streamIdleMs: 300,
}

export function makeSecrets(exporter?: Uint8Array): ChannelSecrets {
  const channel = randomBytes(8).readBigUInt64BE()
  return { channel, ticket: randomBytes(24).toString('base64url'), salt: randomBytes(32), exporter }
}

export interface Item {
  kind: number
  flow: number
  payload: Buffer
}

/** A relay's UDP endpoint, a TCP port for streams, a proxy in front of the UDP, and one device's channel; all on loopback. */
export class ChannelPair {
  readonly endpoint: RelayDatagramEndpoint = new RelayDatagramEndpoint('127.0.0.1')
  readonly streams: Server
  readonly sockets: Set<Socket> = new Set()
  readonly relay: RelayDatagramChannel
  readonly agent: AgentDatagramChannel
  readonly atRelay: Item[] = []
  readonly atAgent: Item[] = []
  readonly relayPaths: (string | undefined)[] = []
  readonly agentPaths: (string | undefined)[] = []
  streamsRefused = 0
  silences = 0
  echo = false
  /** Whether the agent has flows. */
  needed = true
  proxy: UdpProxy | undefined

  constructor(timings: Partial<ChannelTimings> = {}) {
    this.relay = this.endpoint.open({
      limits: LIMITS,
      onItem: (kind, flow, payload) => this.atRelay.push({ kind, flow, payload: Buffer.from(payload) }),
      onPath: (path) => this.relayPaths.push(path),
      onSilence: () => {
        this.silences += 1
        this.agent.wake()
      },
    })
    this.agent = new AgentDatagramChannel({
      limits: LIMITS,
      timings: { ...TIMINGS, ...timings },
      isNeeded: () => this.needed,
      onItem: (kind, flow, payload) => {
        this.atAgent.push({ kind, flow, payload: Buffer.from(payload) })
        if (this.echo) this.agent.send(kind, flow, payload)
      },
      onPath: (path) => this.agentPaths.push(path),
    })
    this.streams = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) => this.#accept(socket))
  }

  async start(t: Teardown, weather: Weather = {}): Promise<void> {
    const port = await this.endpoint.listen(0)
    this.streams.listen(0, '127.0.0.1')
    await once(this.streams, 'listening')
    t.teardown(async () => {
      this.agent.close()
      await this.endpoint.close()
      for (const socket of this.sockets) socket.destroy()
      await new Promise((resolve) => this.streams.close(resolve))
    })
    this.proxy = new UdpProxy(port, weather, SEED)
    await this.proxy.listen(t)
    await this.proxy.rebind()
  }

  get way(): UdpProxy {
    if (this.proxy === undefined) throw new Error('not started')
    return this.proxy
  }

  /** A new link. */
  attach(relaySecrets: ChannelSecrets = makeSecrets(), agentSecrets: ChannelSecrets = relaySecrets): void {
    this.relay.attach(relaySecrets)
    const { port } = this.streams.address() as AddressInfo
    this.agent.attach(agentSecrets, {
      host: '127.0.0.1',
      port: this.way.port,
      dialStream: (onReady, onFailed) => {
        const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
        socket.on('error', () => {})
        socket.once('close', onFailed)
        socket.once('connect', () => {
          socket.off('close', onFailed)
          onReady(socket)
        })
        return () => socket.destroy()
      },
    })
  }

  async onPath(path: 'udp' | 'stream'): Promise<void> {
    await until(() => this.agent.path === path && this.relay.path === path, `both sides on ${path}`)
  }

  /** Sends until one has come through, there and back. */
  async echoes(text: string): Promise<void> {
    this.echo = true
    const count = this.atRelay.length
    await until(() => {
      this.relay.send(4, 1, Buffer.from(text))
      return this.atRelay.slice(count).some(({ payload }) => payload.toString() === text)
    }, `echo of ${text}`)
  }

  /** One datagram there and back: whatever either side sent before has arrived, and was answered. */
  async settles(): Promise<void> {
    this.echo = true
    const count = this.atRelay.length
    this.relay.send(4, 1, Buffer.from('the last'))
    await until(() => this.atRelay.length > count, 'all has arrived')
    this.echo = false
  }

  /** The agent finds UDP gone so often, on a socket of its own each time. */
  async triesUdp(times: number): Promise<void> {
    const { size } = this.way.agentPorts
    await until(() => this.way.agentPorts.size >= size + times, `${times} tries over UDP`)
  }

  #accept(socket: Socket): void {
    this.sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => this.sockets.delete(socket))
    readFirstFrame(socket, 5_000, (frame) => {
      const message = frame?.type === FrameType.DATAGRAMS ? parseDatagrams(frame.payload) : undefined
      if (message !== undefined && this.endpoint.acceptStream(socket, message)) return
      this.streamsRefused += 1
      socket.destroy()
    })
  }
}

export interface PairOptions {
  weather?: Weather
  timings?: Partial<ChannelTimings>
}

/** Without a link. */
export async function startPair(t: Teardown, options: PairOptions = {}): Promise<ChannelPair> {
  const pair = new ChannelPair(options.timings)
  await pair.start(t, options.weather)
  return pair
}

/** Linked, and both sides use UDP. */
export async function startOnUdp(t: Teardown, options: PairOptions = {}): Promise<ChannelPair> {
  const pair = await startPair(t, options)
  pair.attach()
  await pair.onPath('udp')
  return pair
}
