import type { Relay } from '@sallyport/relay'

/**
 * A relay that this instance steers: the one in its process, or a stand-alone one whose control channel is here. What it
 * should serve comes from the database; `apply` and `change` reject when it could not be told in time, and are tried again.
 */
export interface SteeredRelay
  extends Pick<
    Relay,
    'id' | 'epoch' | 'apply' | 'change' | 'disconnectDevice' | 'revision' | 'status' | 'traffic' | 'on'
  > {
  load(): RelayLoad
}

export interface RelayLoad {
  /** Devices linked now. */
  readonly devices: number
  /** Players now. */
  readonly connections: number
  /** It finishes with its players and takes no new allocations. */
  readonly draining: boolean
}
