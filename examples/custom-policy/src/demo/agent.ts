import { createAgent, createControlChannel } from '@sallyport/relay'

/** An agent in this process. Gives what stops it. */
export function startAgent(panel: string, token: string): () => Promise<void> {
  const agent = createAgent()
  const channel = createControlChannel({ panel, token: () => token, agent })
  channel.start()
  return async () => {
    await channel.stop()
    await agent.stop()
  }
}
