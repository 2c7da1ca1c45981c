import type { AgentEvents } from '../../dist/agent-types.js'
import { Emitter } from '../../dist/emitter.js'
import { AgentFlows } from '../../dist/flows/agent-flows.js'
import type { DeviceFlow, FlowHandlers } from '../../dist/flows/device-flow.js'
import { DeviceFlows } from '../../dist/flows/device-flows.js'
import type { FlowMessage } from '../../dist/flows/flow-message.js'
import type { RejectError } from '../../dist/index.js'
import { type AgentLimits, DEFAULT_AGENT_LIMITS } from '../../dist/limits.js'
import { silentLogger } from '../../dist/logger.js'
import { Permits } from '../../dist/permits.js'
import { createAllowList, LOOPBACK_RULES } from '../../dist/target/allow-rule.js'
import { LocalSources } from '../../dist/target/local-source.js'
import { Refusals } from '../../dist/target/refusals.js'
import { TrafficTotals } from '../../dist/target/traffic-totals.js'
import type { TestChannel } from './channel-pair.js'

interface Teardown {
  teardown(handler: () => unknown): void
}

/** The agent's side of flows, at this end of a pair. */
export function startAgentFlows(
  t: Teardown,
  channel: TestChannel,
  options: { limits?: Partial<AgentLimits>; permits?: number; allowed?: boolean } = {},
) {
  const limits = { ...DEFAULT_AGENT_LIMITS, ...options.limits }
  const events = new Emitter<AgentEvents>(silentLogger)
  const told: AgentEvents['connection'][] = []
  events.on('connection', (event) => told.push(event))
  const refusals = new Refusals(events, silentLogger, limits.maxRefusals)
  const flows = new AgentFlows({
    relayId: 'relay',
    allowed: createAllowList(options.allowed === false ? [] : LOOPBACK_RULES),
    sources: new LocalSources('shared'),
    limits,
    events,
    refusals,
    totals: new TrafficTotals(),
    permits: new Permits(options.permits ?? limits.maxConnections),
    createChannel: channel.open,
  })
  flows.welcome('table')
  t.teardown(() => flows.stop())
  return { flows, refusals, told }
}

export function startDeviceFlows(
  t: Teardown,
  channel: TestChannel,
  { linkWaitMs = 5_000, ...more }: { linkWaitMs?: number; minSlots?: number; wake?: () => void } = {},
): DeviceFlows<TestChannel> {
  const flows = new DeviceFlows({ linkWaitMs, createChannel: channel.open, wake: () => {}, ...more })
  t.teardown(() => flows.close())
  return flows
}

/** What one flow told. */
export class Listener implements FlowHandlers {
  readonly heard: string[] = []
  readonly rejected: RejectError[] = []
  opened = 0
  ended = 0
  paths = 0
  away = 0
  flow: DeviceFlow | undefined

  onOpened(): void {
    this.opened += 1
  }
  onDatagram(payload: Buffer): void {
    this.heard.push(String(payload))
  }
  onRejected(error: RejectError): void {
    this.rejected.push(error)
  }
  onEnded(): void {
    this.ended += 1
  }
  onPath(): void {
    this.paths += 1
  }
  onAway(): void {
    this.away += 1
  }

  send(text: string): boolean | undefined {
    return this.flow?.send(Buffer.from(text))
  }
}

export function openFlow(
  flows: DeviceFlows<TestChannel>,
  targetPort: number,
  more: Partial<FlowMessage> = {},
): Listener {
  const listener = new Listener()
  const target = { host: '127.0.0.1', port: targetPort }
  listener.flow = flows.open(
    { allocationId: 1, target, remoteAddress: '192.0.2.1', remotePort: 4_000, ...more },
    listener,
  )
  return listener
}
