import { randomBytes } from 'node:crypto'
import { RelayError } from '../errors.js'
import { RelayIdentity } from '../identity/relay-identity.js'
import { TicketMemory } from '../identity/ticket-memory.js'
import { Admissions } from '../players/admissions.js'
import type { ResolvedRelayOptions } from '../relay-options.js'
import type { Admission } from '../relay-types.js'
import { DesiredState } from './desired-state.js'
import { encodeSnapshot, loadSnapshot, type RelaySnapshot } from './snapshot.js'
import { SnapshotSaver } from './snapshot-saver.js'

const TICKET_KEY_BYTES = 32

/** What a relay knows that outlives its process: what is desired, its keys, spent tickets, who is let in without an answer. */
export class StoredState {
  readonly desired: DesiredState = new DesiredState()
  readonly identity: RelayIdentity
  readonly memory: TicketMemory
  readonly admissions: Admissions
  readonly #options: ResolvedRelayOptions
  readonly #saver: SnapshotSaver
  /** As `setAdmission` said, here or before the restart. */
  #otherwise: 'allow' | 'deny' | undefined
  #ownKey: Buffer | undefined
  /** It is another process's to store. */
  #muted = false

  constructor(options: ResolvedRelayOptions) {
    const { encryption, certificate, storage, limits, admission, logger } = options
    this.#options = options
    this.identity = new RelayIdentity(encryption, certificate)
    this.#saver = new SnapshotSaver(storage, () => this.snapshot())
    this.memory = new TicketMemory(limits, () => this.saveInBackground())
    this.admissions = new Admissions(admission, limits.maxWaitingAdmissions, logger)
  }

  get ticketKey(): Uint8Array {
    const given = this.#options.ticketKey ?? this.#ownKey
    if (given !== undefined) return given
    this.#ownKey = randomBytes(TICKET_KEY_BYTES)
    this.saveInBackground()
    return this.#ownKey
  }

  /** True: it holds after a restart too, so it is to be stored. */
  setAdmission(admission: Admission | undefined): boolean {
    this.admissions.set(admission)
    const before = this.#otherwise
    this.#otherwise = this.admissions.otherwise
    return this.#otherwise !== before
  }

  async load(): Promise<void> {
    let snapshot: RelaySnapshot | undefined
    try {
      snapshot = await loadSnapshot(this.#options.storage, this.#options.id)
    } catch (error) {
      if (!(error instanceof RelayError) || error.code !== 'RELAY_ERR_STORAGE_CORRUPT') throw error
      // To serve without is better than not to serve: the panel brings the state again. But what was revoked is not
      // known any more, so no ticket of before counts.
      const { message } = error
      this.#options.logger.error({ error: message }, 'starting without the stored state, agents need new tickets')
      this.memory.revokeAll(Date.now())
    }
    this.restore(snapshot)
  }

  restore(snapshot: RelaySnapshot | undefined): void {
    if (snapshot !== undefined) {
      if (snapshot.state.revision >= this.desired.revision) this.desired.restore(snapshot.state)
      this.#ownKey ??= snapshot.ticketKey
      this.memory.restore(snapshot.tickets)
      if (this.#otherwise === undefined) {
        this.#otherwise = snapshot.otherwise
        // Whoever decides has still to come back.
        const away = snapshot.otherwise === 'deny' && this.#options.admission === undefined
        if (away) this.admissions.set({ decide: () => false, otherwise: 'deny' })
      }
    }
    if (this.identity.establish(snapshot?.identity)) this.saveInBackground()
  }

  snapshot(): unknown {
    const snapshot: RelaySnapshot = {
      relayId: this.#options.id,
      state: this.desired.snapshot(),
      tickets: this.memory.snapshot(Date.now()),
    }
    if (this.#otherwise !== undefined) snapshot.otherwise = this.#otherwise
    if (this.#ownKey !== undefined && this.#options.ticketKey === undefined) snapshot.ticketKey = this.#ownKey
    const { own } = this.identity
    if (own !== undefined) snapshot.identity = own
    return encodeSnapshot(snapshot)
  }

  /** See SnapshotSaver. */
  save(): Promise<void> {
    return this.#saver.save()
  }

  saveInBackground(): void {
    if (this.#muted) return
    this.#saver.save().catch((error: unknown) => {
      this.#options.logger.error({ error: String(error) }, 'the state could not be stored')
    })
  }

  idle(): Promise<void> {
    return this.#saver.idle()
  }

  /** Stores nothing by itself until `unmute`. Resolves when nothing is being stored. */
  mute(): Promise<void> {
    this.#muted = true
    return this.idle()
  }

  unmute(): void {
    this.#muted = false
  }
}
