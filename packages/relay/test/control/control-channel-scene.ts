import type { Test } from 'tap'
import type { AgentEvents, AgentRelay } from '../../dist/agent-types.js'
import { createControlChannel } from '../../dist/control/control-channel.js'
import type { ControlChannel, ControlChannelEvents, ControlledAgent } from '../../dist/control/control-channel-types.js'
import { createFakePanel, type FakePanel, problem } from '../fake-panel.js'
import { until } from '../support.js'
import { type ChannelEvents, QUICK, watchEvents } from './channel-events.js'

export const TOKEN = 'device-token-0123456789'
export const RELAY = { id: 'eu1', host: '127.0.0.1', port: 7_350, ticket: 'ticket-1' }

export interface FakeAgent extends ControlledAgent {
  calls: { connect: AgentRelay[]; disconnect: string[] }
  /** How often its links were looked at: once for each report of its status. */
  reports(): number
  emit<E extends keyof AgentEvents>(event: E, payload: AgentEvents[E]): void
}

export function fakeAgent(): FakeAgent {
  const handlers = new Map<string, Set<(payload: never) => void>>()
  const calls: FakeAgent['calls'] = { connect: [], disconnect: [] }
  let reports = 0
  return {
    calls,
    reports: () => reports,
    connect: (relay) => void calls.connect.push(relay),
    disconnect: (relayId) => void calls.disconnect.push(relayId),
    links() {
      reports += 1
      return [{ relayId: 'eu1', host: '127.0.0.1', port: 7_350, encryption: 'tls', connected: true, rttMs: 1.25 }]
    },
    refusals: () => [
      {
        relayId: 'eu1',
        allocationId: 3,
        protocol: 'tcp',
        target: { host: '10.0.0.1', port: 22 },
        error: 'target_forbidden',
      },
    ],
    on(event, handler) {
      const set = handlers.get(event) ?? new Set()
      handlers.set(event, set.add(handler as (payload: never) => void))
      return () => void set.delete(handler as (payload: never) => void)
    },
    emit(event, payload) {
      for (const handler of handlers.get(event) ?? []) handler(payload as never)
    },
  }
}

export function watch(channel: ControlChannel): ChannelEvents<ControlChannelEvents> {
  return watchEvents<ControlChannelEvents>(channel, [
    'connected',
    'disconnected',
    'state',
    'refused',
    'replaced',
    'waiting',
  ])
}

/** A channel that runs. */
export function start(
  t: Test,
  panel: string,
  timings: Record<string, number> = {},
  token: string = TOKEN,
): { agent: FakeAgent; channel: ControlChannel; events: ChannelEvents<ControlChannelEvents> } {
  const agent = fakeAgent()
  const channel = createControlChannel({
    panel,
    token: () => token,
    agent,
    version: '9.9.9',
    timings: { ...QUICK, featureRetryMs: 10, replacedRetryMs: 30, ...timings },
  })
  const events = watch(channel)
  t.teardown(() => channel.stop())
  channel.start()
  return { agent, channel, events }
}

export async function panelFor(t: Test): Promise<FakePanel> {
  const panel = await createFakePanel()
  t.teardown(() => panel.close())
  return panel
}

/** How often the channel of TOKEN tries from now until another of the same patience, which is turned away, has tried five times. */
export async function triesMeanwhile(t: Test, panel: FakePanel): Promise<number> {
  let own = 0
  let others = 0
  panel.refuseUpgrade = ({ authorization }) => {
    if (authorization === `Bearer ${TOKEN}`) own += 1
    else others += 1
    return problem(503, 'unavailable')
  }
  start(t, panel.url, {}, 'another-token')
  await until(() => others >= 5, 'five tries of another')
  return own
}
