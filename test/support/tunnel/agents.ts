import {
  type Agent,
  type ControlChannel,
  type ControlledAgent,
  createAgent,
  createControlChannel,
} from '@sallyport/relay'
import type { Test } from 'tap'
import { until } from '../deadline.js'

export interface TestAgent {
  readonly agent: Agent
  readonly channel: ControlChannel
  /** Why the panel put it out, once it did. */
  readonly refused: () => string | undefined
  /** Waits until the control channel and a link stand. */
  ready(): Promise<void>
}

/** An agent in this process, which dials loopback targets. */
export function startAgent(t: Test, panelUrl: string, token: string): TestAgent {
  const agent = createAgent()
  const channel = createControlChannel({ panel: panelUrl, token: () => token, agent })
  let reason: string | undefined
  channel.on('refused', (refused) => {
    reason = refused.reason
  })
  channel.start()
  t.teardown(async () => {
    await channel.stop()
    await agent.stop()
  })
  return {
    agent,
    channel,
    refused: () => reason,
    ready: async () => {
      await until('the agent', () => channel.connected && agent.links().some(({ connected }) => connected))
    },
  }
}

/** The control side of an agent alone, with the waits of a real one: it makes no links. */
export function startLinklessAgent(t: Test, panelUrl: string, token: string): ControlChannel {
  const agent: ControlledAgent = {
    connect: () => undefined,
    disconnect: () => undefined,
    links: () => [],
    refusals: () => [],
    on: () => () => undefined,
  }
  const channel = createControlChannel({ panel: panelUrl, token: () => token, agent })
  channel.start()
  t.teardown(() => channel.stop())
  return channel
}
