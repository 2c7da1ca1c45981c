import { readFileSync } from 'node:fs'
import { createTicketIssuer } from '../../../dist/identity/tickets.js'
import { type Agent, createAgent } from '../../../dist/index.js'
import { createFakePanel, type FakeConnection, type FakePanel } from '../../fake-panel.js'
import { freePort } from '../../free-port.js'
import type { Door } from '../../handover/players.js'
import { startEcho, startUdpEcho, until } from '../../support.js'
import { type Command, createHome, type Home } from '../command.js'

interface Teardown {
  teardown(handler: () => unknown): void
}

export const RELAY_ID = 'device-1'
export const TOKEN = ['e30', Buffer.from(JSON.stringify({ sub: RELAY_ID })).toString('base64url'), 'very-secret'].join(
  '.',
)
const AGENT_ID = 'agent-1'
const HOST = '127.0.0.1'

interface SaidHello extends Record<string, unknown> {
  version: string
  relay: { ticketKey: string; dataPort: number; fingerprint: string; epoch: string; revision: number }
}

/** A panel, and a home with the token of a relay. */
export async function enrolledRelay(t: Parameters<typeof createHome>[0]): Promise<{ panel: FakePanel; home: Home }> {
  // Some panels come back on the same one.
  const panel = await createFakePanel(await freePort())
  t.teardown(() => panel.close())
  const home = await createHome(t)
  await home.enrol({ panel: panel.url, token: TOKEN, deviceId: RELAY_ID, kind: 'server' })
  return { panel, home }
}

/** What one connection of the relay's to the panel has said, from its welcome on. */
export interface PanelSide {
  connection: FakeConnection
  hello: SaidHello
}

/** The command on one side of a panel, an agent with a TCP and a UDP echo on the other. */
export interface RelayWorld {
  panel: FakePanel
  home: Home
  command: Command
  /** The first connection. */
  side: PanelSide
  agent: Agent
  tcp: Door
  udp: Door
  dataPort: number
  args: string[]
}

/** Welcomes a relay that has said its hello. */
export async function greet(connection: FakeConnection): Promise<SaidHello> {
  const hello = await connection.next('hello')
  connection.send({ type: 'welcome', protocol: 1, deviceId: RELAY_ID, name: 'eu-relay', heartbeatMs: 5_000 })
  return hello as unknown as SaidHello
}

/** Welcomes the next connection of the relay's and gives it its state. */
export async function welcome(panel: FakePanel, state: readonly unknown[] = [], revision = 3): Promise<PanelSide> {
  const connection = await panel.nextConnection()
  const hello = await greet(connection)
  connection.send({ type: 'relay_state', revision, part: 0, parts: 1, allocations: state })
  await connection.next('relay_status')
  return { connection, hello }
}

export interface WorldOptions {
  args?: string[]
  env?: Record<string, string>
  /** Default: the built command. */
  start?: (home: Home, args: string[], env: Record<string, string>) => Command
}

export interface World extends RelayWorld {
  allocations: Record<string, unknown>[]
}

export async function startWorld(
  t: Teardown & Parameters<typeof createHome>[0],
  { args: more = [], env = {}, start = (home, args, env) => home.start(args, env) }: WorldOptions = {},
): Promise<World> {
  const { panel, home } = await enrolledRelay(t)
  const [tcpEcho, udpEcho] = [await startEcho(t), await startUdpEcho(t)]
  const [dataPort, tcpPort, udpPort] = [await freePort(), await freePort(), await freePort()]
  const common = { deviceId: AGENT_ID, grant: 'g' }
  const allocations = [
    { ...common, id: 1, protocol: 'tcp', port: tcpPort, target: { host: HOST, port: tcpEcho.port } },
    { ...common, id: 2, protocol: 'udp', port: udpPort, target: { host: HOST, port: udpEcho.port } },
  ]
  const args = ['relay', '--public-host', HOST, '--data-port', String(dataPort), ...more]
  const command = start(home, args, env)
  await command.says(/relay ready|relay_ready/)
  const side = await welcome(panel, allocations)
  const agent = await startAgent(t, side, dataPort)
  const [tcp, udp] = [tcpPort, udpPort].map((port) => ({ host: HOST, port })) as [Door, Door]
  return { panel, home, command, side, agent, tcp, udp, dataPort, args, allocations }
}

async function startAgent(t: Teardown, { hello }: PanelSide, port: number): Promise<Agent> {
  const agent = createAgent()
  t.teardown(() => agent.stop())
  const issuer = createTicketIssuer(RELAY_ID, Buffer.from(hello.relay.ticketKey, 'base64url'))
  const ticket = issuer.issue(AGENT_ID, { grant: 'g' })
  agent.connect({ id: RELAY_ID, host: HOST, port, fingerprint: hello.relay.fingerprint, ticket })
  await linked(agent)
  return agent
}

export async function linked(agent: Agent): Promise<void> {
  await until(() => agent.links()[0]?.connected === true, 'the link')
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    // One that has ended may wait for its new parent to notice.
    return process.platform !== 'linux' || !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

/** The process that took over as the `n`th, by what it said. */
export async function heirOf(command: Command, n = 1): Promise<number> {
  const pids = () => [...command.stdout().matchAll(/serves now, as process (\d+)/g)].map(([, pid]) => Number(pid))
  await until(() => pids().length >= n, `successor ${n} in:\n${command.stdout()}${command.stderr()}`)
  return pids()[n - 1] ?? 0
}
