import type { Encryption } from './agent-types.js'
import type { DroppedPackets } from './datagrams/relay-datagram-endpoint.js'
import type { HandOverChannel } from './handover/hand-over-line.js'
import type { RelayLimits } from './limits.js'
import type { Logger } from './logger.js'
import type { RelayStorage } from './storage/storage.js'

export interface RelayOptions {
  /** Names this relay in tickets and to agents. Default 'relay'. */
  id?: string
  /** Address that the public ports and the data port bind. Default '127.0.0.1'. */
  bindHost?: string
  /** Host name that agents and players are given. Default 'localhost'. */
  publicHost?: string
  /** Port that agents dial; 0 picks a free one. Default 7350. */
  dataPort?: number
  /** Of TCP between agents and this relay. `off` is for networks that are trusted otherwise; a warning is logged. Default 'tls'. */
  encryption?: Encryption
  /**
   * A certificate that agents' machines trust for `publicHost`, and its private key. Default: one that the relay makes itself and keeps
   * in its storage, for agents who know its fingerprint.
   */
  certificate?: CertificatePair
  /** Default: `memoryStorage()`. */
  storage?: RelayStorage
  /** HMAC-SHA-256 key for tickets, at least 32 bytes. Default: random, kept in the storage. */
  ticketKey?: Uint8Array
  /** Default: everybody is let in. */
  admission?: Admission
  /** Default: silent. */
  logger?: Logger
  limits?: Partial<RelayLimits>
  /**
   * A process whose relay of the same id is handed over to this one (`Relay.handOver`); in a child of it, `process`. Then the first
   * `start()` takes over ports, state and players of that relay instead of binding and loading. `ticketKey`, `certificate` and `admission` are
   * not taken over: who gave them to that relay gives them to this one too.
   */
  predecessor?: HandOverChannel
}

/** PEM. `cert` begins with the relay's own; those of its issuers follow. */
export interface CertificatePair {
  key: string
  cert: string
}

export type TransportProtocol = 'tcp' | 'udp'

/** A public port and where its players go. */
export interface RelayAllocation {
  id: number
  deviceId: string
  protocol: TransportProtocol
  /** 0 picks a free one, anew at each start; see `status()`. */
  port: number
  /** As the agent sees it. */
  target: { host: string; port: number }
  paused?: boolean
  /** Default: none, and no limits beyond the relay's own. A change holds at once, for present players too where it can. */
  options?: AllocationOptions
  /**
   * What a ticket of the device must carry, such as the id of its token in force: with another, present links and players are cut and
   * tickets are refused. Without it any ticket counts that was not ended by `disconnectDevice`.
   */
  grant?: string
}

/** How players of one allocation are served. */
export interface AllocationOptions {
  /**
   * Header with the player's address before the first byte to the target (HAProxy's PROXY protocol 2.2). UDP: v2 only, in the first
   * datagram of a flow. A change holds for new players.
   */
  proxyProtocol?: 'none' | 'v1' | 'v2'
  /** Players at once (UDP: flows). Lowered, it sends nobody away. */
  maxConnections?: number
  /** The same from one source address (IPv6: its /64). Lowered, it sends nobody away. */
  maxConnectionsPerSource?: number
  /** New players (UDP: flows) per second; an idle allocation takes one second's worth at once. Others are let go at once. */
  connectionRate?: number
  /** Bytes per second, each way, all players together. */
  bandwidth?: number
  /** Addresses and CIDR ranges that may come, at most 256; empty or left out: all. Others are cut when it changes. */
  allow?: readonly string[]
  /** Addresses and CIDR ranges that may not, at most 256; stronger than `allow`. */
  deny?: readonly string[]
  /** Seconds without a byte either way, after which a player is let go, give or take a tenth. UDP: at most `udpIdleMs` of the relay. */
  idleTimeout?: number
}

/** What changed of a desired state since the revision before. */
export interface RelayChange {
  /** Above the one in force. */
  revision: number
  /** New, or in place of what has the same id. */
  upsert: readonly RelayAllocation[]
  /** Ids; those that are not there are passed over. */
  remove: readonly number[]
}

/** Somebody who wants in. */
export interface PlayerKnock {
  allocationId: number
  protocol: TransportProtocol
  remoteAddress: string
  remotePort: number
}

/** Asks for each player (UDP: each new flow), before the agent hears of it. */
export interface Admission {
  /** A rejection counts as no answer. */
  decide(player: PlayerKnock): boolean | Promise<boolean>
  /** Longest wait for an answer. Default 1,000. */
  timeoutMs?: number
  /** What holds without an answer in time, or when too many wait for one. Default 'allow'. */
  otherwise?: 'allow' | 'deny'
}

/** The whole desired state of a relay. */
export interface RelayState {
  /** Grows with each change; a state older than the current one is ignored. */
  revision: number
  allocations: readonly RelayAllocation[]
}

export type AllocationCondition = 'starting' | 'listening' | 'failed' | 'paused'

export interface AllocationStatus {
  allocationId: number
  protocol: TransportProtocol
  /** The bound port while listening, else the desired one. */
  port: number
  status: AllocationCondition
  /** The system's code while `failed`, such as EADDRINUSE. It is tried again with backoff. */
  error?: string
}

export interface RelayStatus {
  /** It serves: started, not stopping or handed over, and its data port listens. */
  running: boolean
  /** Of the state in force; 0 when there never was one. */
  revision: number
  allocations: AllocationStatus[]
}

/** Running totals since the relay was created, over stops and starts. Payload only, no framing. */
export interface AllocationTraffic {
  allocationId: number
  /** Bytes from players. */
  bytesIn: number
  /** Bytes to players. */
  bytesOut: number
  /** Connections (UDP: flows) that reached the agent's target. */
  connections: number
  /** Of these, open now. */
  open: number
}

/** What a relay has to do now; all 0 while it does not run. */
export interface RelayStatistics {
  /** Devices whose agent has a link. */
  links: number
  /** Data connections that wait for a player. */
  readyConnections: number
  /** TCP players who wait for a data connection. */
  waitingPlayers: number
  /** UDP packets of the data port that came to nothing, since the start. */
  droppedPackets: DroppedPackets
}

export interface RelayDevice {
  deviceId: string
  connectedAt: Date
  /** Of its link and its data connections. */
  encryption: Encryption
  remoteAddress: string
  version: string
}

/**
 * Why a connection ended, or never began. `end`: both sides finished; `reset`: one side broke off; `cut`: its allocation or device
 * was removed, paused or moved, or the relay stopped; `idle`: nothing passed for too long; `denied`:
 * `allow`, `deny` or the admission; `no_link`: the agent is not there; `busy`: a limit;
 * `timeout`: the agent brought no data connection; `target_*`: what the agent answered.
 */
export type CloseReason =
  | 'end'
  | 'reset'
  | 'cut'
  | 'idle'
  | 'no_link'
  | 'busy'
  | 'denied'
  | 'timeout'
  | 'target_refused'
  | 'target_unreachable'
  | 'target_timeout'
  | 'target_forbidden'
  | 'agent_busy'

export interface RelayEvents {
  /** A device's link came up or went away. */
  link: { deviceId: string; connected: boolean }
  /** `refused` instead of `open` and `close` when a player could not be brought to the target. */
  connection: {
    allocationId: number
    phase: 'open' | 'close' | 'refused'
    protocol: TransportProtocol
    remoteAddress: string
    remotePort: number
    bytesIn: number
    bytesOut: number
    durationMs: number
    /** Not at `open`. */
    reason?: CloseReason
  }
  /** `port`: the actual one, or the one that was wanted while none is bound. `error`: the system's code, of `failed`. */
  allocation: { allocationId: number; port: number; status: AllocationCondition | 'removed'; error?: string }
}

export interface Relay {
  readonly id: string
  /** Random, new with each `createRelay` but for a successor, which has that of its predecessor: within one epoch the totals of `traffic()` only grow. */
  readonly epoch: string
  /** Key of this relay's tickets, for whoever issues them elsewhere (`createTicketIssuer`). Needs a started relay. */
  readonly ticketKey: Uint8Array
  readonly publicHost: string
  /** The actual one after `start()`. */
  readonly dataPort: number
  readonly encryption: Encryption
  /**
   * SHA-256 of the certificate that this relay made itself (DER, lower-case hexadecimal), for agents to know it by. Undefined before the
   * first `start()`, with a given certificate, and without encryption.
   */
  readonly fingerprint: string | undefined
  /**
   * Binds the data port, loads the storage and serves what it holds; or takes over (`predecessor`). Rejects with RELAY_ERR_DATA_PORT or
   * RELAY_ERR_HANDOVER_FAILED and leaves nothing open.
   */
  start(): Promise<void>
  /**
   * Hands everything over to a relay in another process, so that this program can be replaced without anybody noticing. The other process,
   * a child made with an IPC channel (`fork`, or `spawn` with 'ipc'), makes its relay with `predecessor: process` and starts it; this
   * one is called with the ChildProcess. Resolves when the other one serves: it has the ports, state and UDP players, agents link to it at
   * once, and new players and those who wait are its own. TCP players who are served stay here until they leave: call
   * `stop({ graceMs })`, which lets them, and then end this process, with the channel open until then. Totals and the ends of those players
   * are told to the other process, which counts them with its own; what is steered is steered there, and cuts players here too. Nothing more is stored from
   * here. `apply` and `change` wait for the outcome; here, from then on, they and the like reject with RELAY_ERR_NOT_RUNNING. Rejects with RELAY_ERR_HANDOVER_FAILED when the
   * other process does not come to serve within `timeoutMs` (default 10,000); then this relay goes on as before.
   */
  handOver(successor: HandOverChannel, options?: { timeoutMs?: number }): Promise<void>
  /**
   * Accepts nobody any more, lets TCP players finish for `graceMs` (default 0), then cuts them. Called again it makes the time shorter, never longer.
   * Meanwhile `apply` and `change` open nothing, but are stored and cut the players who must go. The agents reconnect when it is back.
   */
  stop(options?: { graceMs?: number }): Promise<void>
  /**
   * Brings the desired state into force: what is gone, paused or moved to another port or device is closed and its players are cut, what
   * is unchanged is not touched, a new target holds for new connections (UDP flows are cut). Resolves when every port is bound or
   * failed and the state is stored; a port that cannot be bound fails only its own allocation. Rejects with RELAY_ERR_INVALID_STATE
   * (nothing changed), RELAY_ERR_NOT_RUNNING, or RELAY_ERR_STORAGE_WRITE (in force, but a restart would not know).
   */
  apply(state: RelayState): Promise<void>
  /** As `apply`, told by what is different, at a cost by what is different. An older or equal revision is ignored. */
  change(change: RelayChange): Promise<void>
  /**
   * For players who come from now on; undefined: everybody is let in. Its `otherwise` is stored: after a restart it holds until this is
   * called again, unless the relay was made with an `admission`. Throws RELAY_ERR_INVALID_OPTION.
   */
  setAdmission(admission: Admission | undefined): void
  /**
   * A renewed certificate, for connections from now on; present ones keep theirs. For relays made with one. Throws
   * RELAY_ERR_INVALID_OPTION.
   */
  setCertificate(certificate: CertificatePair): void
  /** Of the state in force; 0 when there never was one. As in `status()`, but at no cost. */
  readonly revision: number
  status(): RelayStatus
  traffic(): AllocationTraffic[]
  devices(): RelayDevice[]
  statistics(): RelayStatistics
  /** A ticket for one use, bound to this relay and the device. Needs a started relay. */
  issueTicket(deviceId: string, options?: { expiresInMs?: number; grant?: string }): string
  /**
   * Closes the device's link, cuts its players and ends every ticket issued before, now and after a restart; but for unused ones from a
   * `createTicketIssuer`, which end with their grant.
   */
  disconnectDevice(deviceId: string): void
  /** Returns what takes the handler off again. A handler that throws is logged. */
  on<E extends keyof RelayEvents>(event: E, handler: (payload: RelayEvents[E]) => void): () => void
}
