import { createSocket, type Socket as UdpSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { createRelay, type Relay } from '../../dist/index.js'
import { until } from '../support.js'
import { type Panel, startPanel } from './panel.js'
import { startAgentProcess, startEchoProcess, type TestProcess } from './process.js'

interface Teardown {
  teardown(handler: () => unknown): void
}

export interface WorldOptions {
  /** Where panel, relay and public ports are, and players come from. */
  host: string
  /** Puts agent and services into a network of their own. */
  prefix?: readonly string[]
  /** Arguments for the agent's Node. */
  node?: readonly string[]
}

/** A panel and a relay here, `sallyport run` and an echo service (TCP and UDP) behind it. */
export interface World {
  panel: Panel
  relay: Relay
  agent: TestProcess
  /** Public, TCP and UDP. */
  port: number
  /** The agent is online at the panel and linked to the relay. */
  isUp(): boolean
}

const DEVICE = 'device-1'

export async function startWorld(t: Teardown, { host, prefix = [], node = [] }: WorldOptions): Promise<World> {
  const relay = createRelay({ bindHost: host, publicHost: host, dataPort: 0 })
  await relay.start()
  t.teardown(() => relay.stop())
  const service = startEchoProcess(t, prefix)
  await service.says(/^port \d+$/m)
  const target = { host: '127.0.0.1', port: Number(/^port (\d+)$/m.exec(service.said())?.[1]) }
  const tcp = { id: 1, deviceId: DEVICE, protocol: 'tcp', port: 0, target } as const
  await relay.apply({ revision: 1, allocations: [tcp] })
  const port = listeningPort(relay, 1)
  await relay.apply({
    revision: 2,
    allocations: [
      { ...tcp, port },
      { ...tcp, id: 2, protocol: 'udp', port },
    ],
  })
  const { id: relayId, dataPort, fingerprint, encryption } = relay
  const panel = await startPanel(t, {
    host,
    state: () => ({
      allocations: (['tcp', 'udp'] as const).map((protocol, index) => ({
        id: index + 1,
        protocol,
        host,
        port,
        localHost: target.host,
        localPort: target.port,
        status: 'open',
        relayId,
      })),
      relays: [{ id: relayId, host, port: dataPort, fingerprint, encryption, ticket: relay.issueTicket(DEVICE) }],
    }),
    ticket: () => relay.issueTicket(DEVICE),
  })
  const agent = await startAgentProcess(t, panel.url, { prefix, node })
  const isUp = () => panel.online() > 0 && relay.devices().length > 0
  await until(isUp, 'the agent', 20_000)
  return { panel, relay, agent, port, isUp }
}

function listeningPort(relay: Relay, allocationId: number): number {
  const found = relay.status().allocations.find((one) => one.allocationId === allocationId)
  if (found?.status !== 'listening') throw new Error(`allocation ${allocationId} is ${found?.status}`)
  return found.port
}

/** A player on TCP, who says things and hears them again. */
export interface TcpPlayer {
  say(text: string): void
  heard(): string
  readonly isOpen: boolean
}

export async function joinTcp(t: Teardown, { port }: World, host: string): Promise<TcpPlayer> {
  const socket: Socket = connect(port, host)
  t.teardown(() => socket.destroy())
  let heard = ''
  socket.setEncoding('utf8').on('data', (text) => {
    heard += text
  })
  socket.on('error', () => {})
  await once(socket, 'connect')
  return {
    say: (text) => void socket.write(text),
    heard: () => heard,
    get isOpen() {
      return !socket.destroyed && socket.readyState === 'open'
    },
  }
}

/** A player on UDP. */
export interface UdpPlayer {
  /** Says it until it is heard; gives the port that the service saw. */
  echo(text: string, deadlineMs?: number): Promise<string>
}

const RESEND_MS = 200

export function joinUdp(t: Teardown, { port }: World, host: string): UdpPlayer {
  const socket: UdpSocket = createSocket('udp4')
  const ports = new Map<string, string>()
  socket.on('message', (payload) => {
    const [, seen = '', text = ''] = /^(\d+) (.*)$/s.exec(payload.toString()) ?? []
    ports.set(text, seen)
  })
  t.teardown(() => new Promise<void>((resolve) => socket.close(() => resolve())))
  return {
    async echo(text, deadlineMs = 10_000) {
      const send = () => socket.send(text, port, host)
      send()
      const again = setInterval(send, RESEND_MS)
      try {
        await until(() => ports.has(text), `the echo of ${text}`, deadlineMs)
      } finally {
        clearInterval(again)
      }
      return ports.get(text) ?? ''
    },
  }
}
