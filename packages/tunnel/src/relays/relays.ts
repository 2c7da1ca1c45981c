import type { Disposer } from '@sallyport/core'
import type { RelayStatistics } from '@sallyport/relay'
import type { LiveAllocations } from '../allocations/allocation.js'
import type { RelayHost } from '../gateway/relay-session.js'
import type { ConnectionGate } from '../hooks/connection-gate.js'
import type { RelayChoice } from './relay-choice.js'
import type { RelayLinks } from './relay-links.js'
import type { ListRelays } from './relay-list.js'
import type { SteeredRelay } from './steered-relay.js'
import type { SyncScope } from './steering.js'

/** The relays: those that this instance steers, and what the database says of all others. */
export interface Relays extends RelayChoice, RelayLinks {
  /** Where the gateway brings stand-alone relays. */
  readonly host: RelayHost
  /** Asks the host about players of relays that are steered here. */
  readonly gate: ConnectionGate
  readonly list: ListRelays
  /** The same, read from the database some times a second at most however many ask. */
  readonly sharedList: ListRelays
  /** The next to ask for it gets what is there then. */
  forgetSharedList(): void
  /** Relays steered here have what the database had at the call; one that is far away had two seconds for it. Never rejects. */
  sync(scope?: SyncScope): Promise<void>
  /** Cuts the device's link and players at relays that are steered here, and ends its tickets. */
  disconnectDevice(deviceId: string): void
  snapshot(): LiveAllocations
  /**
   * Waits until relays steered by other living instances have followed the last change of these allocations, at most
   * `timeoutMs` (default 2,000). May be called before or after the change is announced. Never rejects.
   */
  waitServed(allocationIds: readonly number[], timeoutMs?: number): Promise<void>
  steered(): Iterable<SteeredRelay>
  /** Allocations on relays steered here, by status. */
  countByStatus(): Record<string, number>
  /** What the relay in this process has to do; `undefined`: there is none. */
  statistics(): RelayStatistics | undefined
  /** Why nothing can be served, or `undefined`. */
  trouble(): string | undefined
  /** Follows other instances and lost relays, and forgets dead ones, until the disposer is called. */
  follow(followers: RelayFollowers): Disposer
}

/** Who wants to know what becomes of relays. */
export interface RelayFollowers {
  /** Sends a device its state if it is connected here. */
  readonly pushState: (deviceId: string) => void
  /** Tells relays, agents and instances of changed allocations. */
  readonly announce: (deviceIds: readonly string[], relayIds: readonly string[]) => Promise<void>
}
