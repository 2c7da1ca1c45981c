import { type Agent, type ControlChannel, createAgent, createControlChannel } from '@sallyport/relay'
import { until } from './until.js'

export interface TestAgent {
  readonly agent: Agent
  readonly channel: ControlChannel
  /** Control channel and link both stand. There is a link once there is an allocation. */
  ready(): Promise<void>
  stop(): Promise<void>
}

/** A real agent, which may dial loopback. */
export function startAgent(panelUrl: string, token: string): TestAgent {
  const agent = createAgent()
  const channel = createControlChannel({ panel: panelUrl, token: () => token, agent, timings: { featureRetryMs: 200 } })
  channel.start()
  return {
    agent,
    channel,
    ready: async () => {
      await until('the agent is back', () => channel.connected && agent.links().some(({ connected }) => connected))
    },
    async stop() {
      await channel.stop()
      await agent.stop()
    },
  }
}
