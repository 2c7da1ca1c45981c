/**
 * Where a relay keeps what a restart must not lose. One relay owns one storage. The snapshot is a JSON value that
 * holds secrets (the ticket key), so a driver keeps it from others.
 */
export interface RelayStorage {
  /** The last saved snapshot, or undefined when there is none. Rejects with RELAY_ERR_STORAGE_CORRUPT when it cannot be read. */
  load(): Promise<unknown | undefined>
  /** Replaces the snapshot as a whole. When it resolves the snapshot survives a crash; until then the old one does. */
  save(snapshot: unknown): Promise<void>
  /** For who made the storage; a relay does not close what it was given. */
  close?(): Promise<void>
}
