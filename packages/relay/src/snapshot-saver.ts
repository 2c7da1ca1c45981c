import { RelayError } from './errors.js'
import type { RelayStorage } from './storage/storage.js'

/** Saves one after the other; changes during a save are saved together by the next one. */
export class SnapshotSaver {
  readonly #storage: RelayStorage
  readonly #snapshot: () => unknown
  #running: Promise<void> | undefined
  #next: Promise<void> | undefined

  constructor(storage: RelayStorage, snapshot: () => unknown) {
    this.#storage = storage
    this.#snapshot = snapshot
  }

  /** Resolves when what holds now is stored. Rejects with RELAY_ERR_STORAGE_WRITE. */
  save(): Promise<void> {
    // One that waits has not taken its snapshot yet: it will hold this change too.
    if (this.#next !== undefined) return this.#next
    const previous = this.#running ?? Promise.resolve()
    const saving = previous.catch(ignore).then(() => {
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

  async #saveNow(): Promise<void> {
    try {
      await this.#storage.save(this.#snapshot())
    } catch (error) {
      if (error instanceof RelayError) throw error
      throw new RelayError('RELAY_ERR_STORAGE_WRITE', undefined, { cause: error })
    }
  }
}

function ignore(): void {}
