import { RelayError } from '../errors.js'
import type { RelayStorage } from '../storage/storage.js'

/** So that however large the state is and however often it changes, making snapshots takes this process a fifth of its time at most. */
const REST_PER_WORK = 4
const MAX_REST_MS = 1_000

/** Saves one after the other; changes during a save and the rest after it are saved together by the next one. */
export class SnapshotSaver {
  readonly #storage: RelayStorage
  readonly #snapshot: () => unknown
  #running: Promise<void> | undefined
  #next: Promise<void> | undefined
  #restUntil = 0

  constructor(storage: RelayStorage, snapshot: () => unknown) {
    this.#storage = storage
    this.#snapshot = snapshot
  }

  /** Resolves when what holds now is stored. Rejects with RELAY_ERR_STORAGE_WRITE. */
  save(): Promise<void> {
    // One that waits has not taken its snapshot yet: it will hold this change too.
    if (this.#next !== undefined) return this.#next
    const previous = this.#running ?? Promise.resolve()
    const saving = previous
      .catch(ignore)
      .then(() => this.#rest())
      .then(() => {
        this.#next = undefined
        this.#running = saving
        return this.#saveNow()
      })
    this.#next = saving
    return saving
  }

  /** Resolves when no save is under way. */
  async idle(): Promise<void> {
    while (this.#next !== undefined || this.#running !== undefined) {
      const pending = this.#next ?? this.#running
      await pending?.catch(ignore)
      if (pending === this.#running) this.#running = undefined
    }
  }

  async #rest(): Promise<void> {
    const restMs = this.#restUntil - performance.now()
    // Less than a timer can measure is not worth one.
    if (restMs > 1) await new Promise((resolve) => setTimeout(resolve, restMs))
  }

  async #saveNow(): Promise<void> {
    const startedAt = performance.now()
    try {
      const stored = this.#storage.save(this.#snapshot())
      const now = performance.now()
      this.#restUntil = now + Math.min(MAX_REST_MS, (now - startedAt) * REST_PER_WORK)
      await stored
    } catch (error) {
      if (error instanceof RelayError) throw error
      throw new RelayError('RELAY_ERR_STORAGE_WRITE', undefined, { cause: error })
    }
  }
}

function ignore(): void {}
