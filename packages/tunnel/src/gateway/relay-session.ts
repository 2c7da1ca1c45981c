import type { RelayHello } from '@sallyport/relay'
import type { RelayLoad, SteeredRelay } from '../relays/steered-relay.js'

/**
 * A stand-alone relay over its control channel on this instance; its id is its device's. What is told before the channel is
 * open for it (`RelayHost.arrive` has not resolved) waits until then. `apply` and `change` reject with
 * `TUNNEL_ERR_RELAY_UNANSWERED` when the relay has not said within 5 s that it has the revision, or when the channel ends. `change`
 * needs an `apply` before it on the same `RemoteRelay`. `status().running` is whether the channel stands. The event `link` never comes.
 */
export interface RemoteRelay extends SteeredRelay {
  /** What it said when it came. */
  readonly hello: RelayHello
  /** Its clock minus the panel's, milliseconds, as last said: without the time that the message took. */
  readonly clockOffsetMs: number
  /** Tells that what `load()` gives has changed. Returns what takes the handler off again. */
  onLoad(handler: (load: RelayLoad) => void): () => void
  /** Closes the channel with 4400 and this error; `leave` follows. */
  refuse(error: string, detail: string): void
}

/** A stand-alone relay that has said hello. */
export interface RelayArrival {
  readonly remote: RemoteRelay
  readonly hello: RelayHello
  /** Of its software. */
  readonly version: string
  /** Its device, which is of kind `server`, approved, and online here by the database. */
  readonly device: {
    readonly id: string
    readonly name: string
    /** Whose relay it is; null: everybody's. */
    readonly organisationId: string | null
    readonly tokenId: string
  }
}

/** Refused: the channel is closed with 4400 and the error (snake_case); the relay does not take that for an outage. */
export type RelayReception =
  | { readonly taken: true }
  | { readonly taken: false; readonly error: string; readonly detail: string }

/** Who steers relays: `relays/`. */
export interface RelayHost {
  /**
   * A relay is here: writes it down and begins to steer it. It is welcomed when this resolves, so this does not wait for `apply`.
   * Rejecting closes the channel with 1011: the relay comes again. Of one relay only one is here at a time: the older one's `leave`
   * comes before the newer one's `arrive`.
   */
  arrive(arrival: RelayArrival): Promise<RelayReception>
  /** The channel of one that was taken has ended; once for each. What it does later is its own affair: it is not waited for. */
  leave(remote: RemoteRelay): void
}
