import { RelayError } from './errors.js'

/** Every bound and timeout of a relay. Times in milliseconds, sizes in bytes, the rest are counts. */
export interface RelayLimits {
  /** From accept on the data port to its whole first frame. Default 5,000. */
  handshakeTimeoutMs: number
  /** Unauthenticated connections on the data port, in all (expected data connections come on top). Default 1,024. */
  maxHandshakes: number
  /** The same from one source address (IPv6: /64). Default 64. */
  maxHandshakesPerSource: number
  /** From a player's admission to the agent's ACCEPT; then the player is let go. And the life of an order for a data connection. Default 10,000. */
  openTimeoutMs: number
  /** Data connections kept ready for a device that has a TCP port in force. Default 1. */
  minReadyPerDevice: number
  /** The same at most, when so many are needed; those in use come on top. Default 256. */
  maxReadyPerDevice: number
  /** Half of the ready ones that were not needed for this long are closed, down to how many are to be ready; that is halved meanwhile. Default 15,000. */
  readyIdleMs: number
  /** A player of a device without a link is held for it this long; of UDP his first datagrams are. Default 5,000. */
  linkWaitMs: number
  /** Players waiting for the link, and again for their data connection, for one device. Default 1,024. */
  maxWaitingPerDevice: number
  /** Players waiting for an answer of the admission, in all; a quarter of it for one allocation. Default 4,096. */
  maxWaitingAdmissions: number
  /** Players' TCP connections and UDP flows, in all. Default 65,536. */
  maxConnections: number
  /** Players' TCP connections on one allocation. Default 16,384. */
  maxConnectionsPerAllocation: number
  /** Devices with a link. Default 16,384. */
  maxLinks: number
  /** Interval of PINGs, told to the agent in WELCOME. Default 3,000. */
  heartbeatMs: number
  /** Nothing heard on a link for this long: it is dead. Default 9,000. */
  linkTimeoutMs: number
  /** Bytes waiting to be sent on a link before it is cut. Default 1 MiB. */
  maxLinkBufferBytes: number
  /** When one side of a connection is gone, how long the other may make no progress with what is left to send. Default 60,000. */
  flushTimeoutMs: number
  /** A data connection whose link is gone, and of which nothing is heard for this long, is closed. Default 30,000. */
  orphanTimeoutMs: number
  /** Life of a ticket made by `issueTicket`. Default 60,000. */
  ticketLifeMs: number
  /** Life of the resume ticket in WELCOME. Default 30 days. */
  resumeLifeMs: number
  /** Spent tickets remembered until they expire; when full, new tickets are refused as busy. Default 65,536. */
  maxSpentTickets: number
  /** Devices whose revocation is remembered; when full, the oldest is replaced by a cutoff for all. Default 65,536. */
  maxRememberedDevices: number
  /** A UDP flow without a datagram either way ends after this. Default 60,000. */
  udpIdleMs: number
  /** A UDP flow whose source has not sent again after an answer ends after this. Default 10,000. */
  udpUnansweredMs: number
  /** UDP flows on one allocation. Default 4,096. */
  maxUdpFlowsPerAllocation: number
  /** UDP flows from one source address (IPv6: /64) on one allocation. Default 64. */
  maxUdpFlowsPerSource: number
  /** Bytes waiting in one direction of a UDP flow, and of datagrams above 8 KiB in one turn of the event loop; more are dropped. Default 256 KiB. */
  maxUdpBufferBytes: number
  /** A public port that could not be bound is tried again after this, doubling. Default 500. */
  bindRetryMinMs: number
  /** … up to this. Default 30,000. */
  bindRetryMaxMs: number
}

const DAY_MS = 86_400_000

export const DEFAULT_RELAY_LIMITS: Readonly<RelayLimits> = Object.freeze({
  handshakeTimeoutMs: 5_000,
  maxHandshakes: 1_024,
  maxHandshakesPerSource: 64,
  openTimeoutMs: 10_000,
  minReadyPerDevice: 1,
  maxReadyPerDevice: 256,
  readyIdleMs: 15_000,
  linkWaitMs: 5_000,
  maxWaitingPerDevice: 1_024,
  maxWaitingAdmissions: 4_096,
  maxConnections: 65_536,
  maxConnectionsPerAllocation: 16_384,
  maxLinks: 16_384,
  heartbeatMs: 3_000,
  linkTimeoutMs: 9_000,
  maxLinkBufferBytes: 1_048_576,
  flushTimeoutMs: 60_000,
  orphanTimeoutMs: 30_000,
  ticketLifeMs: 60_000,
  resumeLifeMs: 30 * DAY_MS,
  maxSpentTickets: 65_536,
  maxRememberedDevices: 65_536,
  udpIdleMs: 60_000,
  udpUnansweredMs: 10_000,
  maxUdpFlowsPerAllocation: 4_096,
  maxUdpFlowsPerSource: 64,
  maxUdpBufferBytes: 262_144,
  bindRetryMinMs: 500,
  bindRetryMaxMs: 30_000,
})

/** Every bound and timeout of an agent. */
export interface AgentLimits {
  /** Connecting to the relay, and waiting for its WELCOME. Default 5,000. */
  relayTimeoutMs: number
  /** Resolving and connecting to the local target. Default 5,000. */
  targetTimeoutMs: number
  /** The relay sets the heartbeat; no longer than this is believed. Default 3,000. */
  maxHeartbeatMs: number
  /** Nothing heard on a link for this long: it is dead. Default 9,000. */
  linkTimeoutMs: number
  /** The first tries to reconnect come after between one and five times this. Default 100. */
  retryMinMs: number
  /** Later tries double up to this. Default 30,000. */
  retryMaxMs: number
  /** After being replaced by another agent of the same device, stay away for this long. Default 60,000. */
  replacedMs: number
  /** Relays known at once. Default 64. */
  maxRelays: number
  /** Data connections, in use, ready or being dialled, and UDP flows at once, of all relays together; half of it in equal parts that are kept for each. Default 16,384. */
  maxConnections: number
  /** Data connections being dialled at once, shared in the same way; further ones wait. Default 32. */
  maxDials: number
  /** See RelayLimits. Default 60,000. */
  flushTimeoutMs: number
  /** See RelayLimits. Default 30,000. */
  orphanTimeoutMs: number
  /** Bytes waiting in one direction of a UDP flow; more are dropped. Default 256 KiB. */
  maxUdpBufferBytes: number
  /** A UDP flow without a datagram either way ends after this, in case the relay does not end it. Default 300,000. */
  udpIdleMs: number
  /** Refused targets remembered, so that each is logged once. Default 1,024. */
  maxRefusals: number
}

export const DEFAULT_AGENT_LIMITS: Readonly<AgentLimits> = Object.freeze({
  relayTimeoutMs: 5_000,
  targetTimeoutMs: 5_000,
  maxHeartbeatMs: 3_000,
  linkTimeoutMs: 9_000,
  retryMinMs: 100,
  retryMaxMs: 30_000,
  replacedMs: 60_000,
  maxRelays: 64,
  maxConnections: 16_384,
  maxDials: 32,
  flushTimeoutMs: 60_000,
  orphanTimeoutMs: 30_000,
  maxUdpBufferBytes: 262_144,
  udpIdleMs: 300_000,
  maxRefusals: 1_024,
})

/** Every limit is a whole number from 1; misspelt names are refused, since a limit that is not in force looks like one. */
export function resolveLimits<L extends object>(defaults: Readonly<L>, given: Partial<L> | undefined): L {
  const limits: L = { ...defaults }
  for (const [name, value] of Object.entries(given ?? {})) {
    if (value === undefined) continue
    if (!Object.hasOwn(defaults, name))
      throw new RelayError('RELAY_ERR_INVALID_OPTION', `limits.${name}: no such limit`)
    if (!Number.isSafeInteger(value) || (value as number) < 1)
      throw new RelayError('RELAY_ERR_INVALID_OPTION', `limits.${name}: not a whole number from 1`)
    Object.assign(limits, { [name]: value })
  }
  return limits
}
