import type { Socket as UdpSocket } from 'node:dgram'
import type { Server, Socket } from 'node:net'
import type { RelayFlows } from '../flows/relay-flows.js'
import type { HandedFlow } from '../handover/handed-state.js'
import type { PlayerGate } from '../handover/player-gate.js'
import type { TakenSockets } from '../handover/taken-sockets.js'
import type { RelayLimits } from '../limits.js'
import type { Logger } from '../logger.js'
import type { Permits } from '../permits.js'
import type { ReadyPools } from '../pool/ready-pools.js'
import type { AllocationTraffic, RelayAllocation, RelayEvents } from '../relay-types.js'
import type { Admissions } from './admissions.js'
import type { Descriptors } from './descriptors.js'
import type { HeldPlayers } from './held-players.js'

/** What a TCP and a UDP listener have in common for the one who owns them. */
export interface PublicListener {
  /** For the process that the port is handed over to. */
  readonly handle: Server | UdpSocket
  /** Gives the bound port. Rejects with the system's error; then the listener is of no more use. */
  listen(): Promise<number>
  /** A new target, for players who come from now on, or new options, for those who are there too. */
  update(allocation: RelayAllocation): void
  /** Takes no new players and frees the port: TCP at once, UDP with its last flow, since that needs the port. */
  stopAccepting(): void
  /** Another process has the port from now on, the flows, and the TCP players that it gives: nobody serves them yet. The others go on here. */
  release(): Socket[]
  /** Flows to be handed over; those that have nowhere to send to yet are not. */
  flows(): HandedFlow[]
  /** A player whom the process before this one has accepted. */
  takePlayer(socket: Socket): void
  /** A flow of the process before this one. */
  takeFlow(flow: HandedFlow): void
  /** Breaks off every player. */
  cutPlayers(): void
  /** Resolves when, after `stopAccepting`, the port and every player's sockets are closed, and their ends told. */
  closed(): Promise<void>
  /** Resolves when there is no player whose leaving is worth waiting for. */
  drained(): Promise<void>
}

/** What every public listener of a relay works with. */
export interface PlayerContext {
  bindHost: string
  limits: RelayLimits
  logger: Logger
  held: HeldPlayers
  pools: ReadyPools
  admissions: Admissions
  flows: Pick<RelayFlows, 'find'>
  /** Connections and flows, in all. */
  permits: Permits
  descriptors: Descriptors
  tell: (event: RelayEvents['connection']) => void
  /** Shut while the relay is being handed over. */
  gate?: PlayerGate
  /** What came from the process before this one. */
  taken?: TakenSockets | undefined
}

export type ListenerFactory = (
  allocation: RelayAllocation,
  traffic: AllocationTraffic,
  context: PlayerContext,
) => PublicListener
