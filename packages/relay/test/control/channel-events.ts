import { createQueue } from '../fake-panel.js'

/** The events of a channel, each as it comes or all together. */
export interface ChannelEvents<Events> {
  /** The next of this name, those before it are dropped. */
  next<E extends keyof Events & string>(event: E): Promise<Events[E]>
  /** All names so far. */
  seen: string[]
}

export function watchEvents<Events>(
  channel: { on<E extends keyof Events & string>(event: E, handler: (payload: Events[E]) => void): unknown },
  names: readonly (keyof Events & string)[],
): ChannelEvents<Events> {
  const queue = createQueue<{ name: string; payload: unknown }>()
  const seen: string[] = []
  for (const name of names) {
    channel.on(name, (payload) => {
      seen.push(name)
      queue.push({ name, payload })
    })
  }
  return {
    seen,
    async next<E extends keyof Events & string>(event: E) {
      for (;;) {
        const { name, payload } = await queue.next(`event '${event}'`)
        if (name === event) return payload as Events[E]
      }
    },
  }
}

/** Waits that suit a test, milliseconds. */
export const QUICK = {
  quickTries: 3,
  quickMinMs: 5,
  quickMaxMs: 10,
  slowStartMs: 20,
  maxMs: 50,
  connectTimeoutMs: 2_000,
  statusDelayMs: 5,
}
