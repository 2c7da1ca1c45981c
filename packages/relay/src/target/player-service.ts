import type { AgentEvents, AgentTraffic } from '../agent-types.js'
import type { Emitter } from '../emitter.js'
import type { AgentLimits } from '../limits.js'
import type { StartMessage } from '../link/protocol.js'
import { Permits } from '../permits.js'
import { ConnectionRecord } from '../players/connection-record.js'
import type { Exchange } from '../stream/data-connection.js'
import type { AllowList } from './allow-rule.js'
import type { LocalSources } from './local-source.js'
import type { Refusals } from './refusals.js'
import { serveTcp } from './serve-tcp.js'
import type { TrafficTotals } from './traffic-totals.js'

interface PlayerServiceOptions {
  allowed: AllowList
  sources: LocalSources
  limits: AgentLimits
  events: Emitter<AgentEvents>
  refusals: Refusals
  totals: TrafficTotals
}

/** The agent's TCP players: each START becomes a connection to its target, or a REFUSE. */
export class PlayerService {
  readonly #options: PlayerServiceOptions
  readonly #permits: Permits
  #stopped = false
  /** Those who are here or on their way to a target. */
  readonly #present: Set<Exchange> = new Set()
  #onEmpty: (() => void) | undefined

  constructor(options: PlayerServiceOptions) {
    this.#options = options
    this.#permits = new Permits(options.limits.maxConnections)
  }

  serve(relayId: string, message: StartMessage, exchange: Exchange): void {
    const { allowed, sources, limits, refusals, totals } = this.#options
    const release = this.#stopped ? undefined : this.#permits.take()
    if (release === undefined) {
      exchange.refuse('agent_busy')
      return
    }
    const { allocationId, target } = message
    this.#present.add(exchange)
    const held = totals.hold(relayId, allocationId)
    void serveTcp({
      message,
      exchange,
      allowed,
      sources,
      limits,
      record: this.#record(relayId, message, held.totals),
      refused: (error) => refusals.note({ relayId, allocationId, protocol: 'tcp', target, error }),
      reached: () => refusals.recovered(relayId, allocationId),
      onGone: () => {
        release()
        held.letGo()
        this.#present.delete(exchange)
        if (this.#present.size === 0) this.#onEmpty?.()
      },
    })
  }

  /** Cuts everyone. */
  async stop(): Promise<void> {
    this.#stopped = true
    if (this.#present.size === 0) return
    const empty = new Promise<void>((resolve) => {
      this.#onEmpty = resolve
    })
    for (const exchange of [...this.#present]) exchange.cut()
    await empty
  }

  #record(
    relayId: string,
    { allocationId, remoteAddress, remotePort }: StartMessage,
    traffic: AgentTraffic,
  ): ConnectionRecord {
    return new ConnectionRecord({ allocationId, protocol: 'tcp', remoteAddress, remotePort }, traffic, (event) => {
      const { phase } = event
      if (phase !== 'refused') this.#options.events.emit('connection', { ...event, phase, relayId })
    })
  }
}
