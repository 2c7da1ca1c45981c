import { AgentDatagramChannel } from '../datagrams/agent-datagram-channel.js'
import type { LinkUp } from '../link/agent-link.js'
import { reachRelay } from '../link/reach-relay.js'
import { AgentFlows, type AgentFlowsOptions } from './agent-flows.js'

export type AgentDatagramsOptions = Omit<AgentFlowsOptions<AgentDatagramChannel>, 'relayId' | 'createChannel'>

const CHECK_MS = 5_000

/** The agent's UDP flows of each relay, with the channel that they go over; kept while there is a link or a flow. */
export class AgentDatagrams {
  readonly #options: AgentDatagramsOptions
  readonly #byRelay: Map<string, AgentFlows<AgentDatagramChannel>> = new Map()
  /** Of relays that the agent has left. */
  readonly #left: Set<string> = new Set()
  #check: NodeJS.Timeout | undefined

  constructor(options: AgentDatagramsOptions) {
    this.#options = options
  }

  /** A link is up. */
  attach(relayId: string, { address, secrets, flows: table }: LinkUp): void {
    const { limits } = this.#options
    this.#left.delete(relayId)
    const flows = this.#byRelay.get(relayId) ?? this.#create(relayId)
    if (!flows.welcome(table)) flows.channel.forget()
    const { relay, host, port, proxy, datagramHost = host } = address
    const where = { host, port, proxy, timeoutMs: limits.relayTimeoutMs }
    flows.channel.attach(secrets, {
      host: datagramHost,
      port,
      dialStream: (onReady, onFailed) => {
        const dial = reachRelay(relay, { ...where, onReady, onFailed })
        return () => void dial.cancel()
      },
    })
  }

  /** The relay has datagrams and does not get them through. */
  wake(relayId: string): void {
    this.#byRelay.get(relayId)?.channel.wake()
  }

  /** The relay is another process now, to which a link is on its way. */
  hold(relayId: string): void {
    this.#byRelay.get(relayId)?.channel.hold()
  }

  /** The way may be another now; asked only when somebody needs one. */
  probe(relayId: string): void {
    const flows = this.#byRelay.get(relayId)
    if (flows !== undefined && flows.size > 0) flows.channel.wake()
  }

  /** There will be no link: what runs goes on. */
  leave(relayId: string): void {
    if (!this.#byRelay.has(relayId)) return
    this.#left.add(relayId)
    this.#closeUnused()
  }

  /** Cuts every flow. */
  async stop(): Promise<void> {
    clearInterval(this.#check)
    const stopping = [...this.#byRelay.values()].map(async (flows) => {
      await flows.stop()
      flows.channel.close()
    })
    this.#byRelay.clear()
    await Promise.all(stopping)
  }

  #create(relayId: string): AgentFlows<AgentDatagramChannel> {
    const { limits } = this.#options
    const flows: AgentFlows<AgentDatagramChannel> = new AgentFlows({
      ...this.#options,
      relayId,
      createChannel: (hooks) => new AgentDatagramChannel({ limits, isNeeded: () => flows.size > 0, ...hooks }),
    })
    this.#byRelay.set(relayId, flows)
    return flows
  }

  #closeUnused(): void {
    for (const relayId of this.#left) {
      const flows = this.#byRelay.get(relayId)
      if (flows !== undefined && flows.size > 0) continue
      this.#left.delete(relayId)
      this.#byRelay.delete(relayId)
      void flows?.stop()
      flows?.channel.close()
    }
    clearInterval(this.#check)
    this.#check = this.#left.size === 0 ? undefined : setInterval(() => this.#closeUnused(), CHECK_MS)
  }
}
