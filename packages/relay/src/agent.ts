import type {
  Agent,
  AgentEvents,
  AgentLinkStatus,
  AgentOptions,
  AgentRefusal,
  AgentRelay,
  AgentTraffic,
} from './agent-types.js'
import { Emitter } from './emitter.js'
import { RelayError } from './errors.js'
import { AgentDatagrams } from './flows/agent-datagrams.js'
import { FINGERPRINT } from './identity/fingerprint.js'
import { type AgentLimits, DEFAULT_AGENT_LIMITS, resolveLimits } from './limits.js'
import { AgentLink } from './link/agent-link.js'
import { type Logger, silentLogger } from './logger.js'
import { SharedPermits } from './permits.js'
import { DataConnections } from './pool/data-connections.js'
import { checkProxy } from './proxy/check-proxy.js'
import { type AllowRule, CurrentAllowList, LOOPBACK_RULES } from './target/allow-rule.js'
import { LocalSources } from './target/local-source.js'
import { PlayerService } from './target/player-service.js'
import { Refusals } from './target/refusals.js'
import { TrafficTotals } from './target/traffic-totals.js'
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
  readonly #allowed: CurrentAllowList
  readonly #refusals: Refusals
  readonly #totals: TrafficTotals = new TrafficTotals()
  readonly #players: PlayerService
  readonly #connections: DataConnections
  readonly #datagrams: AgentDatagrams
  /** Of data connections and flows, by relay. */
  readonly #permits: SharedPermits
  readonly #proxyFor: ProxyChoice
  readonly #links: Map<string, AgentLink> = new Map()
  #stopped: Promise<void> | undefined

  constructor(options: AgentOptions) {
    this.#version = options.version ?? packageVersion()
    this.#limits = resolveLimits(DEFAULT_AGENT_LIMITS, options.limits)
    this.#logger = options.logger ?? silentLogger
    this.#proxyFor = proxyChoice(options.proxy, this.#logger)
    this.#events = new Emitter(this.#logger)
    this.#refusals = new Refusals(this.#events, this.#logger, this.#limits.maxRefusals)
    this.#permits = new SharedPermits(this.#limits.maxConnections)
    this.#allowed = new CurrentAllowList(options.allow ?? LOOPBACK_RULES)
    const serving = {
      allowed: this.#allowed,
      sources: new LocalSources(options.localSource ?? 'distinct'),
      limits: this.#limits,
      events: this.#events,
      refusals: this.#refusals,
      totals: this.#totals,
    }
    this.#players = new PlayerService(serving)
    this.#datagrams = new AgentDatagrams({ ...serving, permits: this.#permits })
    this.#connections = new DataConnections({
      limits: this.#limits,
      permits: this.#permits,
      onStart: (relayId, message, exchange) => this.#players.serve(relayId, message, exchange),
    })
  }

  connect(relay: AgentRelay): void {
    if (this.#stopped !== undefined) throw new RelayError('RELAY_ERR_STOPPED')
    checkRelay(relay)
    const known = this.#links.get(relay.id)
    if (relay.encryption === 'off' && known?.status().encryption !== 'off')
      this.#logger.warn({ relayId: relay.id }, 'encryption is off: TCP to this relay can be read on its way')
    if (known !== undefined) {
      known.renew(relay)
      return
    }
    if (this.#links.size >= this.#limits.maxRelays) throw new RelayError('RELAY_ERR_INVALID_OPTION', 'too many relays')
    this.#permits.join(relay.id)
    this.#totals.join(relay.id)
    this.#links.set(relay.id, this.#link({ ...relay }))
  }

  disconnect(relayId: string): void {
    const link = this.#links.get(relayId)
    this.#links.delete(relayId)
    this.#permits.leave(relayId)
    this.#refusals.forgetRelay(relayId)
    void link?.close()
    this.#datagrams.leave(relayId)
    this.#totals.leave(relayId)
  }

  links(): AgentLinkStatus[] {
    return [...this.#links.values()].map((link) => link.status())
  }

  refusals(): AgentRefusal[] {
    return this.#refusals.list()
  }

  traffic(): AgentTraffic[] {
    return this.#totals.list()
  }

  retainTraffic(allocationIds: ReadonlySet<number> | undefined): void {
    this.#totals.retain(allocationIds)
  }

  setAllow(rules: readonly AllowRule[]): void {
    this.#allowed.set(rules)
    this.#refusals.forgetForbidden()
  }

  probe(): void {
    for (const [relayId, link] of [...this.#links]) {
      link.probe()
      this.#datagrams.probe(relayId)
    }
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
    // First the players, so that each end is told as cut.
    await this.#players.stop()
    await Promise.all([...closing, this.#connections.stop(), this.#datagrams.stop()])
  }

  #link(relay: AgentRelay): AgentLink {
    const relayId = relay.id
    return new AgentLink(relay, {
      version: this.#version,
      limits: this.#limits,
      proxyFor: this.#proxyFor,
      onTicketNeeded: () => this.#events.emit('ticketNeeded', { relayId }),
      onUp: (up) => {
        const { address, short } = up
        this.#datagrams.attach(relayId, up)
        const connections = this.#connections.forLink({ relayId, address, short })
        return {
          onOrder: (tokens) => connections.order(tokens),
          onWake: () => this.#datagrams.wake(relayId),
          onMoved: () => this.#datagrams.hold(relayId),
          onDown: () => connections.retire(),
        }
      },
      onLink: (connected, error) => {
        this.#logger.info({ relayId, connected, ...(error === undefined ? {} : { error }) }, 'relay link')
        this.#events.emit('link', error === undefined ? { relayId, connected } : { relayId, connected, error })
      },
    })
  }
}

type ProxyChoice = (relay: { host: string; port: number }) => URL | undefined

/** One that fails, or names what is no HTTP proxy, names none. */
function proxyChoice(proxy: AgentOptions['proxy'], logger: Logger): ProxyChoice {
  if (typeof proxy !== 'function') {
    checkProxy(proxy)
    return () => proxy
  }
  return ({ host, port }) => {
    try {
      const chosen = proxy({ host, port })
      checkProxy(chosen)
      return chosen
    } catch (error) {
      logger.error({ error: String(error) }, 'the proxy for a relay could not be chosen')
      return undefined
    }
  }
}

function checkRelay({ id, host, port, ticket, fingerprint, encryption = 'tls' }: AgentRelay): void {
  const texts = { id, host, ticket }
  for (const [name, value] of Object.entries(texts))
    if (typeof value !== 'string' || value.length === 0) throw new RelayError('RELAY_ERR_INVALID_OPTION', name)
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new RelayError('RELAY_ERR_INVALID_OPTION', 'port')
  if (fingerprint !== undefined && !(typeof fingerprint === 'string' && FINGERPRINT.test(fingerprint)))
    throw new RelayError('RELAY_ERR_INVALID_OPTION', 'fingerprint')
  if (encryption !== 'tls' && encryption !== 'off') throw new RelayError('RELAY_ERR_INVALID_OPTION', 'encryption')
}
