import { setMaxListeners } from 'node:events'
import type { AgentEvents } from './agent-types.js'
import type { AllowList } from './allow-rule.js'
import { ConnectionRecord } from './connection-record.js'
import type { Exchange } from './data-connection.js'
import type { Emitter } from './emitter.js'
import type { AgentLimits } from './limits.js'
import type { LocalSources } from './local-source.js'
import { Permits } from './permits.js'
import type { StartMessage } from './protocol.js'
import type { Refusals } from './refusals.js'
import { serveTcp } from './serve-tcp.js'

interface PlayerServiceOptions {
  allowed: AllowList
  sources: LocalSources
  limits: AgentLimits
  events: Emitter<AgentEvents>
  refusals: Refusals
}

/** The agent's TCP players: each START becomes a connection to its target, or a REFUSE. */
export class PlayerService {
  readonly #options: PlayerServiceOptions
  readonly #permits: Permits
  readonly #stopping: AbortController = new AbortController()
  readonly #present: Set<Exchange> = new Set()
  readonly #serving: Set<Promise<void>> = new Set()

  constructor(options: PlayerServiceOptions) {
    this.#options = options
    // Who dials listens; the permits are the bound.
    setMaxListeners(0, this.#stopping.signal)
    this.#permits = new Permits(options.limits.maxConnections)
  }

  serve(relayId: string, message: StartMessage, exchange: Exchange): void {
    const { allowed, sources, limits, refusals } = this.#options
    const release = this.#stopping.signal.aborted ? undefined : this.#permits.take()
    if (release === undefined) {
      exchange.refuse('agent_busy')
      return
    }
    const { allocationId, target } = message
    const served = serveTcp({
      message,
      exchange,
      allowed,
      sources,
      limits,
      record: this.#record(relayId, message),
      signal: this.#stopping.signal,
      present: this.#present,
      refused: (error) => refusals.note({ relayId, allocationId, protocol: 'tcp', target, error }),
      reached: () => refusals.recovered(relayId, allocationId),
    }).finally(() => {
      release()
      this.#serving.delete(served)
    })
    this.#serving.add(served)
  }

  /** Cuts everyone. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    for (const exchange of [...this.#present]) exchange.cut()
    await Promise.all(this.#serving)
  }

  #record(relayId: string, { allocationId, remoteAddress, remotePort }: StartMessage): ConnectionRecord {
    const traffic = { allocationId, bytesIn: 0, bytesOut: 0, connections: 0, open: 0 }
    return new ConnectionRecord({ allocationId, protocol: 'tcp', remoteAddress, remotePort }, traffic, (event) => {
      const { phase } = event
      if (phase !== 'refused') this.#options.events.emit('connection', { ...event, phase, relayId })
    })
  }
}
