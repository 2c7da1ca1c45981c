import type { Encryption } from '../agent-types.js'
import type { AllocationCondition, CloseReason, RelayAllocation, TransportProtocol } from '../relay-types.js'

/** What a stand-alone relay says of itself. Its id is that of its device. */
export interface RelayHello {
  /** Host name or address that players and agents are given. */
  publicHost: string
  /** Port that agents dial. */
  dataPort: number
  /** SHA-256 of its certificate, 64 lower-case hexadecimal digits. Left out: agents look whether their authorities vouch for it. */
  fingerprint?: string
  /** Between it and agents. Default 'tls'. */
  encryption?: Encryption
  /** Relays of one group serve one set of public ports under one name, and stand in for each other. Default: `publicHost`. */
  hostGroup?: string
  region?: string
  /** For the choice of a relay. At most 16; names of letters, digits and `._/-`, beginning with a letter or digit. */
  labels?: Record<string, string>
  /** Allocations that it takes at most. */
  capacity?: number
  /** Public ports that it may bind. Default: the panel's. */
  portRange?: { from: number; to: number }
  /** Key of its tickets, base64url of 32 to 64 bytes: the panel issues them. */
  ticketKey: string
  /** See `Relay.epoch`. */
  epoch: string
  /** Of the state in force. */
  revision: number
  /** Its clock, milliseconds since 1970: tickets expire by it. */
  time: number
}

/** panel → relay: the whole desired state, in `parts` messages of one revision, numbered from 0; in force with the last. */
export interface RelayStateMessage {
  type: 'relay_state'
  revision: number
  part: number
  parts: number
  allocations: RelayAllocation[]
}

/**
 * panel → relay: what changed since `base`, the revision sent before on this connection, in `parts` messages of one base and revision,
 * numbered from 0; in force with the last. With another base the relay closes and comes back for the whole.
 */
export interface RelayChangeMessage {
  type: 'relay_change'
  base: number
  /** Above `base`. */
  revision: number
  part: number
  parts: number
  upsert: RelayAllocation[]
  remove: number[]
}

/** panel → relay: cut this device's link and players. */
export interface RelayDisconnectMessage {
  type: 'relay_disconnect'
  deviceId: string
}

/** panel → relay: the answer to an admission question. */
export interface AdmissionAnswerMessage {
  type: 'admission'
  id: number
  allow: boolean
}

/** relay → panel: what is in force. Sent after each state and change, and whenever something of it is different. */
export interface RelayStatusMessage {
  type: 'relay_status'
  /** In force. Of several messages for one state only the last names its revision, so that this acknowledges all of them. */
  revision: number
  /** Those whose condition is different from what was last sent on this connection; removed ones are left out. */
  allocations: { id: number; status: AllocationCondition; error?: string }[]
  /** Linked now. */
  devices: number
  /** Players now. */
  connections: number
  /** It finishes with its players and takes no new allocations. */
  draining: boolean
  /** See `RelayHello`. */
  time: number
}

/** relay → panel: running totals of those that changed since the last message, at most one message each second or so. */
export interface RelayTrafficMessage {
  type: 'relay_traffic'
  epoch: string
  /** Allocation, bytes in, bytes out, connections ever, open now. */
  totals: [id: number, bytesIn: number, bytesOut: number, connections: number, open: number][]
}

/** relay → panel: players who left, or were not let in (`durationMs` 0). */
export interface RelayConnectionsMessage {
  type: 'relay_connections'
  ended: EndedConnection[]
  /** How many more there were than could be kept for sending. */
  dropped: number
}

export interface EndedConnection {
  allocationId: number
  protocol: TransportProtocol
  remoteAddress: string
  remotePort: number
  bytesIn: number
  bytesOut: number
  durationMs: number
  reason: CloseReason
}

/** relay → panel: may this player in? */
export interface AdmissionRequestMessage {
  type: 'admission'
  /** Counts up on one connection. */
  id: number
  allocationId: number
  protocol: TransportProtocol
  remoteAddress: string
  remotePort: number
}
