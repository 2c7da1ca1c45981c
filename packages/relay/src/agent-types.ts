import type { AgentLimits } from './limits.js'
import type { Logger } from './logger.js'
import type { CloseReason, TransportProtocol } from './relay-types.js'
import type { AllowRule } from './target/allow-rule.js'
import type { LocalSourceMode } from './target/local-source.js'

export interface AgentOptions {
  /** Told to relays. Default: the version of this package. */
  version?: string
  /** What may be dialled. Undefined: loopback, every port. When given it replaces that; an empty list allows nothing. */
  allow?: readonly AllowRule[]
  /**
   * `distinct`: a service on this machine's IPv4 loopback sees each player come from an address of its own, always the same of
   * 127.1.0.1 to 127.254.255.254, so that it can tell and ban them. Only on Linux; where it cannot be had, and with `shared`, all
   * come from 127.0.0.1. Default 'distinct'.
   */
  localSource?: LocalSourceMode
  /**
   * An HTTP proxy (http or https, credentials in the URL) for TCP to relays that cannot be reached directly, by CONNECT. A function
   * says which for each relay. Datagrams pass no proxy: where they do not get through directly they go over a stream, and so through it.
   */
  proxy?: URL | ((relay: { host: string; port: number }) => URL | undefined)
  /** Default: silent. */
  logger?: Logger
  limits?: Partial<AgentLimits>
}

/** A relay and the right to link to it. */
export interface AgentRelay {
  id: string
  host: string
  port: number
  ticket: string
  /**
   * SHA-256 of the relay's certificate (DER), 64 lower-case hexadecimal digits: exactly this certificate is accepted. Without it, one
   * for the host's name that Node's trusted authorities vouch for.
   */
  fingerprint?: string
  /** `off`: plain TCP, for networks that are trusted otherwise; a warning is logged. Default 'tls'. */
  encryption?: Encryption
}

/** Of TCP between relay and agent; their datagrams are always encrypted. */
export type Encryption = 'tls' | 'off'

export interface AgentLinkStatus {
  relayId: string
  host: string
  port: number
  connected: boolean
  encryption: Encryption
  /** The link goes, or the one before went, through an HTTP proxy. */
  proxied?: boolean
  /** The last measured round trip of the link. */
  rttMs?: number
  connectedAt?: Date
}

/** Why the agent refused a player. `target_forbidden`: its allow rules; `target_unreachable`: no such host or no route. */
export type RejectError = 'target_refused' | 'target_unreachable' | 'target_timeout' | 'target_forbidden' | 'agent_busy'

/** A target that could not be reached when last tried. */
export interface AgentRefusal {
  relayId: string
  allocationId: number
  protocol: TransportProtocol
  target: { host: string; port: number }
  error: RejectError
}

/** What one allocation's players sent and got at one relay: running totals, payload only. */
export interface AgentTraffic {
  allocationId: number
  relayId: string
  /** From players. */
  bytesIn: number
  /** To players. */
  bytesOut: number
  /** Connections and UDP flows so far, */
  connections: number
  /** and now. */
  open: number
}

export interface AgentEvents {
  /**
   * `error` says why it went away or could not come up, such as ECONNREFUSED, 'certificate_mismatch', 'ticket_expired', 'replaced',
   * 'timeout' or 'proxy_refused' (not directly, and the proxy does not let through).
   */
  link: { relayId: string; connected: boolean; error?: string }
  connection: {
    relayId: string
    allocationId: number
    phase: 'open' | 'close'
    protocol: TransportProtocol
    remoteAddress: string
    remotePort: number
    /** From the player. */
    bytesIn: number
    /** To the player. */
    bytesOut: number
    durationMs: number
    /** Not at `open`. */
    reason?: CloseReason
  }
  /** Once for each allocation and error, until its target is reached again. */
  rejected: AgentRefusal
  /** A rejected allocation's target was reached again. */
  recovered: { relayId: string; allocationId: number }
  /** The relay takes none of the tickets at hand; call `connect` with a new one. Repeated with backoff until then. */
  ticketNeeded: { relayId: string }
}

export interface Agent {
  /**
   * Keeps a link to this relay from now on. Called again for the same id it only renews: the ticket is kept for when the resume ticket is
   * refused, another host, port, fingerprint or encryption moves the link. Throws RELAY_ERR_STOPPED after `stop()`, RELAY_ERR_INVALID_OPTION on nonsense.
   */
  connect(relay: AgentRelay): void
  /** Forgets the relay and closes the link; its running connections go on. */
  disconnect(relayId: string): void
  links(): AgentLinkStatus[]
  /** Targets that are refused now. */
  refusals(): AgentRefusal[]
  /**
   * A copy of the totals as they are now, of every allocation that had a player at a relay of this agent. They are kept after the last
   * one, until the relay is left, `retainTraffic` does not name the allocation, or 2,048 others of the relay were used since.
   */
  traffic(): AgentTraffic[]
  /** Totals are kept for these allocations only (undefined: for all), and for others while they have players. A control channel calls it. */
  retainTraffic(allocationIds: ReadonlySet<number> | undefined): void
  /** What may be dialled for players who come from now on; those who are here stay. Nothing is said of it. */
  setAllow(rules: readonly AllowRule[]): void
  /**
   * After sleep or on another network: looks at once whether the links are alive (one that does not answer within 3 s is lost), and
   * tries at once what waits for its next try; not after 'replaced'.
   */
  probe(): void
  /** Closes every link and cuts every connection. */
  stop(): Promise<void>
  on<E extends keyof AgentEvents>(event: E, handler: (payload: AgentEvents[E]) => void): () => void
}
