import type { Decision } from '../decision.js'
import { adminEmail, createPanel } from '../panel.js'
import type { PlanName } from '../plans.js'
import type { Region } from '../regions.js'
import { startAgent } from './agent.js'
import { type Call, createCall } from './api.js'
import { type Enrolled, enrol } from './enrol.js'
import { type RelayProcess, startRelayProcess } from './relay-process.js'

/** A running panel with real relays, and ways to fill it. */
export interface Scene {
  readonly url: string
  readonly call: Call
  readonly adminToken: string
  readonly decisions: readonly Decision[]
  relay(name: string, region: Region, tier?: 'standard' | 'premium'): Promise<RelayProcess>
  /** Somebody with a plan, and their device with a running agent. */
  person(name: string, plan: PlanName, region: Region): Promise<Person>
  stop(): Promise<void>
}

export interface Person {
  readonly id: string
  readonly device: Enrolled
}

export interface Tunnel {
  readonly id: number
  readonly port: number
  readonly relayId: string
  readonly relayName: string
  readonly status: string
}

export async function openScene(
  adminPassword: string,
  say: (decision: Decision) => void = () => undefined,
): Promise<Scene> {
  const decisions: Decision[] = []
  const closers: (() => Promise<unknown>)[] = []
  const report = (decision: Decision): void => {
    decisions.push(decision)
    say(decision)
  }
  let stopped = false
  const stop = async (): Promise<void> => {
    stopped = true
    for (const close of closers.splice(0).reverse()) await close()
  }
  /** What would be opened after the end, by whoever waited for an answer meanwhile, nobody would close. */
  const assertOpen = (): void => {
    if (stopped) throw new Error('it is over')
  }
  const kernel = createPanel({ adminPassword, report, logLevel: 'error' })
  closers.push(() => kernel.stop())
  try {
    const { port } = await kernel.listen()
    const url = `http://127.0.0.1:${port}`
    const call = createCall(url)
    const login = { email: adminEmail, password: adminPassword }
    const { token: adminToken } = await call<{ token: string }>('POST', '/api/auth/login', login)
    return {
      ...{ url, call, adminToken, decisions, stop },
      async relay(name, region, tier = 'standard') {
        const enrolled = await enrol(call, adminToken, { name, kind: 'server' })
        assertOpen()
        const relay = startRelayProcess(url, enrolled, { name, region, tier })
        closers.push(() => relay.stop())
        await relay.ready
        await waitForRelay(call, adminToken, enrolled.id, true)
        return relay
      },
      async person(name, plan, region) {
        const user = { email: `${name}@example.org`, password: `the password of ${name}`, name }
        const { user: made } = await call<{ user: { id: string } }>('POST', '/api/users', user, adminToken)
        await call('PUT', `/api/accounts/${made.id}`, { plan, region }, adminToken)
        const device = await enrol(call, adminToken, { name: `${name}'s`, kind: 'client', ownerId: made.id })
        assertOpen()
        closers.push(startAgent(url, device.token))
        return { id: made.id, device }
      },
    }
  } catch (error) {
    await stop()
    throw error
  }
}

/** Makes a tunnel as its device, and gives it once players can come. Throws `Refused`. */
export async function openTunnel(
  { call }: Pick<Scene, 'call'>,
  { device }: Person,
  request: { localPort: number; protocol?: 'tcp' | 'udp' | 'both'; port?: number; region?: string },
): Promise<Tunnel> {
  const { allocation } = await call<{ allocation: Tunnel }>(
    ...(['POST', '/api/tunnel/allocations', { protocol: 'tcp', ...request }, device.token] as const),
  )
  return allocation
}

/** Waits until the panel says that a relay is there, or is not. */
export async function waitForRelay(call: Call, adminToken: string, id: string, online: boolean): Promise<void> {
  const end = performance.now() + 20_000
  while (performance.now() < end) {
    const { relays } = await call<{ relays: { id: string; online: boolean }[] }>(
      ...(['GET', '/api/tunnel/relays', undefined, adminToken] as const),
    )
    if ((relays.find((relay) => relay.id === id)?.online ?? false) === online) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error(`the relay is not ${online ? 'online' : 'offline'} in time`)
}
