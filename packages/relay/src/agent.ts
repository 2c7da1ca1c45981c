import { AgentLink } from './agent-link.js'
import type { Agent, AgentEvents, AgentLinkStatus, AgentOptions, AgentRefusal, AgentRelay } from './agent-types.js'
import { createAllowList, LOOPBACK_RULES } from './allow-rule.js'
import { Emitter } from './emitter.js'
import { RelayError } from './errors.js'
import { type AgentLimits, DEFAULT_AGENT_LIMITS, resolveLimits } from './limits.js'
import { type Logger, silentLogger } from './logger.js'
import { PlayerService } from './player-service.js'
import { Refusals } from './refusals.js'
import { packageVersion } from './version.js'

/** The data plane of an agent: links to relays, and players' connections to local targets. Needs no panel. */
export function createAgent(options: AgentOptions = {}): Agent {
  return new DataPlaneAgent(options)
}

class DataPlaneAgent implements Agent {
  readonly #version: string
  readonly #limits: AgentLimits
  readonly #logger: Logger
  readonly #events: Emitter<AgentEvents>
  readonly #refusals: Refusals
  readonly #players: PlayerService
  readonly #links: Map<string, AgentLink> = new Map()
  #stopped: Promise<void> | undefined

  constructor(options: AgentOptions) {
    this.#version = options.version ?? packageVersion()
    this.#limits = resolveLimits(DEFAULT_AGENT_LIMITS, options.limits)
    this.#logger = options.logger ?? silentLogger
    this.#events = new Emitter(this.#logger)
    this.#refusals = new Refusals(this.#events, this.#logger, this.#limits.maxRefusals)
    this.#players = new PlayerService({
      allowed: createAllowList(options.allow ?? LOOPBACK_RULES),
      limits: this.#limits,
      events: this.#events,
      refusals: this.#refusals,
    })
  }

  connect(relay: AgentRelay): void {
    if (this.#stopped !== undefined) throw new RelayError('RELAY_ERR_STOPPED')
    checkRelay(relay)
    const known = this.#links.get(relay.id)
    if (known !== undefined) {
      known.renew(relay)
      return
    }
    if (this.#links.size >= this.#limits.maxRelays) throw new RelayError('RELAY_ERR_INVALID_OPTION', 'too many relays')
    this.#links.set(relay.id, this.#link({ ...relay }))
  }

  disconnect(relayId: string): void {
    const link = this.#links.get(relayId)
    this.#links.delete(relayId)
    this.#refusals.forgetRelay(relayId)
    void link?.close()
  }

  links(): AgentLinkStatus[] {
    return [...this.#links.values()].map((link) => link.status())
  }

  refusals(): AgentRefusal[] {
    return this.#refusals.list()
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop()
    return this.#stopped
  }

  on<E extends keyof AgentEvents>(event: E, handler: (payload: AgentEvents[E]) => void): () => void {
    return this.#events.on(event, handler)
  }

  async #stop(): Promise<void> {
    const closing = [...this.#links.values()].map((link) => link.close())
    this.#links.clear()
    await Promise.all([...closing, this.#players.stop()])
  }

  #link(relay: AgentRelay): AgentLink {
    const relayId = relay.id
    return new AgentLink(relay, {
      version: this.#version,
      limits: this.#limits,
      onTicketNeeded: () => this.#events.emit('ticketNeeded', { relayId }),
      onOpen: (message, address, reject) =>
        this.#players.serve(relayId, address, message, (error) =>
          reject({ connectionId: message.connectionId, error }),
        ),
      onLink: (connected, error) => {
        this.#logger.info({ relayId, connected, ...(error === undefined ? {} : { error }) }, 'relay link')
        this.#events.emit('link', error === undefined ? { relayId, connected } : { relayId, connected, error })
      },
    })
  }
}

function checkRelay({ id, host, port, ticket }: AgentRelay): void {
  const texts = { id, host, ticket }
  for (const [name, value] of Object.entries(texts))
    if (typeof value !== 'string' || value.length === 0) throw new RelayError('RELAY_ERR_INVALID_OPTION', name)
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new RelayError('RELAY_ERR_INVALID_OPTION', 'port')
}
