import { randomBytes, randomUUID } from 'node:crypto'
import { Admissions } from './admissions.js'
import type { Encryption } from './agent-types.js'
import { DesiredState } from './desired-state.js'
import { Emitter } from './emitter.js'
import { RelayError } from './errors.js'
import { RelayIdentity } from './relay-identity.js'
import { checkAdmission, type ResolvedRelayOptions, resolveRelayOptions } from './relay-options.js'
import { createRelayParts, openDataPort, type RelayParts } from './relay-parts.js'
import type {
  Admission,
  AllocationTraffic,
  CertificatePair,
  Relay,
  RelayChange,
  RelayDevice,
  RelayEvents,
  RelayOptions,
  RelayState,
  RelayStatus,
} from './relay-types.js'
import { encodeSnapshot, type RelaySnapshot, readSnapshot } from './snapshot.js'
import { SnapshotSaver } from './snapshot-saver.js'
import { TicketMemory } from './ticket-memory.js'
import { within } from './within.js'

const TICKET_KEY_BYTES = 32

/** A relay in this process. Opens nothing before `start()`. Throws RELAY_ERR_INVALID_OPTION. */
export function createRelay(options: RelayOptions = {}): Relay {
  return new EmbeddedRelay(resolveRelayOptions(options))
}

class EmbeddedRelay implements Relay {
  readonly id: string
  readonly epoch: string = randomUUID()
  readonly publicHost: string
  readonly #options: ResolvedRelayOptions
  readonly #events: Emitter<RelayEvents>
  readonly #saver: SnapshotSaver
  readonly #memory: TicketMemory
  readonly #admissions: Admissions
  readonly #desired: DesiredState = new DesiredState()
  readonly #totals: Map<number, AllocationTraffic> = new Map()
  /** As `setAdmission` said, here or before the restart. */
  #otherwise: 'allow' | 'deny' | undefined
  readonly #identity: RelayIdentity
  #dataPort: number
  #ownKey: Buffer | undefined
  #phase: 'stopped' | 'starting' | 'running' | 'stopping' = 'stopped'
  #running: RelayParts | undefined
  /** The start or stop under way, or the last one. */
  #change: Promise<void> | undefined

  constructor(options: ResolvedRelayOptions) {
    this.id = options.id
    this.publicHost = options.publicHost
    this.#options = options
    this.#dataPort = options.dataPort
    this.#identity = new RelayIdentity(options.encryption, options.certificate)
    this.#events = new Emitter(options.logger)
    this.#saver = new SnapshotSaver(options.storage, () => this.#snapshot())
    this.#memory = new TicketMemory(options.limits, () => this.#saveInBackground())
    this.#admissions = new Admissions(options.admission, options.limits.maxWaitingAdmissions, options.logger)
  }

  get dataPort(): number {
    return this.#dataPort
  }

  get encryption(): Encryption {
    return this.#identity.encryption
  }

  get fingerprint(): string | undefined {
    return this.#identity.fingerprint
  }

  get ticketKey(): Uint8Array {
    this.#need()
    return this.#options.ticketKey ?? this.#key()
  }

  async start(): Promise<void> {
    if (this.#phase !== 'stopped') throw new RelayError('RELAY_ERR_ALREADY_RUNNING')
    this.#phase = 'starting'
    this.#change = this.#start()
    await this.#change
  }

  async stop({ graceMs = 0 }: { graceMs?: number } = {}): Promise<void> {
    if (this.#phase === 'starting') await this.#change?.catch(() => {})
    const running = this.#running
    if (this.#phase === 'running' && running !== undefined) {
      this.#phase = 'stopping'
      this.#change = this.#stop(running, graceMs)
    }
    if (this.#phase === 'stopping') await this.#change
  }

  async apply(state: RelayState): Promise<void> {
    const running = this.#need()
    if (this.#desired.replace(state)) {
      await this.#kept(running.table.reconcile(this.#desired.allocations))
      return
    }
    this.#options.logger.warn(
      { revision: state.revision, current: this.#desired.revision },
      'older desired state ignored',
    )
  }

  async change(change: RelayChange): Promise<void> {
    const running = this.#need()
    const difference = this.#desired.change(change)
    if (difference !== undefined) await this.#kept(running.table.change(difference.upsert, difference.gone))
  }

  setAdmission(admission: Admission | undefined): void {
    this.#admissions.set(checkAdmission(admission))
    const before = this.#otherwise
    this.#otherwise = this.#admissions.otherwise
    // Before the start it would replace what is to be loaded.
    if (this.#phase === 'running' && this.#otherwise !== before) this.#saveInBackground()
  }

  setCertificate(certificate: CertificatePair): void {
    this.#identity.renew(certificate)
    this.#running?.data.setCertificate(certificate)
  }

  get revision(): number {
    return this.#desired.revision
  }

  status(): RelayStatus {
    const allocations = this.#running?.table.status() ?? []
    return { running: this.#phase === 'running', revision: this.#desired.revision, allocations }
  }

  traffic(): AllocationTraffic[] {
    return [...this.#totals.values()].map((totals) => ({ ...totals }))
  }

  devices(): RelayDevice[] {
    return this.#running?.links.list() ?? []
  }

  issueTicket(deviceId: string, { expiresInMs, grant }: { expiresInMs?: number; grant?: string } = {}): string {
    const { limits } = this.#options
    const lifeMs = expiresInMs ?? limits.ticketLifeMs
    // No ticket outlives the memory of what was revoked.
    if (!(lifeMs > 0) || lifeMs > limits.resumeLifeMs) throw new RelayError('RELAY_ERR_INVALID_OPTION', 'expiresInMs')
    if (deviceId.length === 0 || deviceId.length > 255) throw new RelayError('RELAY_ERR_INVALID_OPTION', 'deviceId')
    return this.#need().tickets.issue(deviceId, lifeMs, grant)
  }

  disconnectDevice(deviceId: string): void {
    const { tickets, links, table } = this.#need()
    tickets.revoke(deviceId)
    links.disconnect(deviceId)
    table.cutDevice(deviceId)
  }

  on<E extends keyof RelayEvents>(event: E, handler: (payload: RelayEvents[E]) => void): () => void {
    return this.#events.on(event, handler)
  }

  /** Resolves when what is desired now is in force and stored; rejects when it is in force only. */
  async #kept(inForce: Promise<void>): Promise<void> {
    const [saved] = await Promise.allSettled([this.#saver.save(), inForce])
    if (saved.status === 'rejected') throw saved.reason
  }

  #need(): RelayParts {
    if (this.#phase !== 'running' || this.#running === undefined) throw new RelayError('RELAY_ERR_NOT_RUNNING')
    return this.#running
  }

  #assemble(): RelayParts {
    return createRelayParts({
      options: this.#options,
      ticketKey: this.#options.ticketKey ?? this.#key(),
      certificate: this.#identity.certificate,
      memory: this.#memory,
      admissions: this.#admissions,
      events: this.#events,
      totals: this.#totals,
    })
  }

  async #start(): Promise<void> {
    try {
      if (this.#identity.establish(await this.#load())) this.#saveInBackground()
      const running = this.#assemble()
      const { bindHost, dataPort } = this.#options
      this.#dataPort = await openDataPort(running, bindHost, dataPort)
      this.#running = running
      this.#phase = 'running'
      await running.table.reconcile(this.#desired.allocations)
      const { logger } = this.#options
      logger.info({ relayId: this.id, dataPort: this.#dataPort, fingerprint: this.fingerprint }, 'relay started')
      if (this.encryption === 'off')
        logger.warn({ relayId: this.id }, 'encryption is off: TCP between agents and this relay can be read on its way')
    } catch (error) {
      this.#phase = 'stopped'
      throw error
    }
  }

  async #stop({ table, links, data, datagrams, flows }: RelayParts, graceMs: number): Promise<void> {
    const drained = table.drain()
    if (graceMs > 0) await within(graceMs, drained)
    const tableClosed = table.close()
    links.closeAll()
    await Promise.all([tableClosed, data.close()])
    flows.close()
    await datagrams.close()
    await this.#saver.idle()
    this.#running = undefined
    this.#phase = 'stopped'
  }

  #key(): Buffer {
    if (this.#ownKey === undefined) {
      this.#ownKey = randomBytes(TICKET_KEY_BYTES)
      this.#saveInBackground()
    }
    return this.#ownKey
  }

  /** Gives the certificate that the relay made for itself before. */
  async #load(): Promise<CertificatePair | undefined> {
    let snapshot: RelaySnapshot | undefined
    try {
      const stored = await this.#options.storage.load()
      if (stored === undefined) return undefined
      snapshot = readSnapshot(stored, this.id)
    } catch (error) {
      if (!(error instanceof RelayError) || error.code !== 'RELAY_ERR_STORAGE_CORRUPT') throw error
      // To serve without is better than not to serve: the panel brings the state again. But what was revoked is not
      // known any more, so no ticket of before counts.
      this.#options.logger.error({ error: error.message }, 'stored state lost; starting without')
      this.#memory.revokeAll(Date.now())
      return undefined
    }
    if (snapshot.state.revision >= this.#desired.revision) this.#desired.restore(snapshot.state)
    this.#ownKey ??= snapshot.ticketKey
    this.#memory.restore(snapshot.tickets)
    if (this.#otherwise === undefined) {
      this.#otherwise = snapshot.otherwise
      // Whoever decides has still to come back.
      const away = snapshot.otherwise === 'deny' && this.#options.admission === undefined
      if (away) this.#admissions.set({ decide: () => false, otherwise: 'deny' })
    }
    return snapshot.identity
  }

  #snapshot(): unknown {
    const snapshot: RelaySnapshot = {
      relayId: this.id,
      state: this.#desired.snapshot(),
      tickets: this.#memory.snapshot(Date.now()),
    }
    if (this.#otherwise !== undefined) snapshot.otherwise = this.#otherwise
    if (this.#ownKey !== undefined && this.#options.ticketKey === undefined) snapshot.ticketKey = this.#ownKey
    const { own } = this.#identity
    if (own !== undefined) snapshot.identity = own
    return encodeSnapshot(snapshot)
  }

  #saveInBackground(): void {
    this.#saver.save().catch((error: unknown) => {
      this.#options.logger.error({ error: String(error) }, 'the state could not be stored')
    })
  }
}
