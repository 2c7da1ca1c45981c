import { randomUUID } from 'node:crypto'
import type { Encryption } from './agent-types.js'
import { Emitter } from './emitter.js'
import { RelayError } from './errors.js'
import { Grace } from './grace.js'
import { type Departure, leave } from './handover/departure.js'
import type { HandOverChannel } from './handover/hand-over-line.js'
import { inherit } from './handover/inherit.js'
import type { Predecessor } from './handover/take-over.js'
import type { TakenSockets } from './handover/taken-sockets.js'
import { checkAdmission, type ResolvedRelayOptions, resolveRelayOptions } from './relay-options.js'
import { closeParts, countParts, createRelayParts, openDataPort, type RelayParts, revokeDevice } from './relay-parts.js'
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
  RelayStatistics,
  RelayStatus,
} from './relay-types.js'
import type { AllocationTable } from './state/allocation-table.js'
import { StoredState } from './state/stored-state.js'

const HANDOVER_TIMEOUT_MS = 10_000

/** A relay in this process. Opens nothing before `start()`. Throws RELAY_ERR_INVALID_OPTION. */
export function createRelay(options: RelayOptions = {}): Relay {
  return new EmbeddedRelay(resolveRelayOptions(options))
}

class EmbeddedRelay implements Relay {
  readonly id: string
  readonly publicHost: string
  readonly #options: ResolvedRelayOptions
  readonly #events: Emitter<RelayEvents>
  readonly #stored: StoredState
  readonly #totals: Map<number, AllocationTraffic> = new Map()
  #dataPort: number
  #phase: 'stopped' | 'starting' | 'running' | 'leaving' | 'left' | 'stopping' = 'stopped'
  #epoch: string = randomUUID()
  /** To be taken over from at the first start. */
  #heritage: HandOverChannel | undefined
  #predecessor: Predecessor | undefined
  #departure: Departure | undefined
  #running: RelayParts | undefined
  /** The start, handover or stop under way, or the last one. */
  #change: Promise<void> | undefined
  /** Of the stop under way. */
  #grace: Grace | undefined

  constructor(options: ResolvedRelayOptions) {
    this.id = options.id
    this.publicHost = options.publicHost
    this.#options = options
    this.#dataPort = options.dataPort
    this.#heritage = options.predecessor
    this.#events = new Emitter(options.logger)
    this.#stored = new StoredState(options)
  }

  get epoch(): string {
    return this.#epoch
  }

  get dataPort(): number {
    return this.#dataPort
  }

  get encryption(): Encryption {
    return this.#stored.identity.encryption
  }

  get fingerprint(): string | undefined {
    return this.#stored.identity.fingerprint
  }

  get ticketKey(): Uint8Array {
    if (this.#running === undefined) throw new RelayError('RELAY_ERR_NOT_RUNNING')
    return this.#stored.ticketKey
  }

  async start(): Promise<void> {
    if (this.#phase !== 'stopped') throw new RelayError('RELAY_ERR_ALREADY_RUNNING')
    this.#phase = 'starting'
    this.#change = this.#start()
    await this.#change
  }

  async stop({ graceMs = 0 }: { graceMs?: number } = {}): Promise<void> {
    if (this.#phase === 'starting' || this.#phase === 'leaving') await this.#outcome()
    const running = this.#running
    if ((this.#phase === 'running' || this.#phase === 'left') && running !== undefined) {
      this.#phase = 'stopping'
      this.#grace = new Grace()
      this.#change = this.#stop(running, this.#grace)
    }
    this.#grace?.shorten(graceMs)
    if (this.#phase === 'stopping') await this.#change
  }

  async handOver(successor: HandOverChannel, { timeoutMs = HANDOVER_TIMEOUT_MS } = {}): Promise<void> {
    const parts = this.#need()
    this.#phase = 'leaving'
    this.#change = this.#leave(parts, successor, timeoutMs)
    await this.#change
  }

  async apply(state: RelayState): Promise<void> {
    if (this.#phase === 'leaving') await this.#outcome()
    const table = this.#steered()
    const { desired } = this.#stored
    if (!desired.replace(state)) {
      const { revision } = state
      this.#options.logger.warn({ revision, current: desired.revision }, 'older desired state ignored')
      return
    }
    const { allocations } = desired
    this.#predecessor?.follow({ kind: 'state', allocations })
    await this.#kept(this.#phase === 'stopping' ? table.followAll(allocations) : table.reconcile(allocations))
  }

  async change(change: RelayChange): Promise<void> {
    if (this.#phase === 'leaving') await this.#outcome()
    const table = this.#steered()
    const difference = this.#stored.desired.change(change)
    if (difference === undefined) return
    const { upsert, gone } = difference
    this.#predecessor?.follow({ kind: 'change', upsert, gone })
    await this.#kept(this.#phase === 'stopping' ? table.follow(upsert, gone) : table.change(upsert, gone))
  }

  setAdmission(admission: Admission | undefined): void {
    const isNews = this.#stored.setAdmission(checkAdmission(admission))
    // Before the start it would replace what is to be loaded.
    if (this.#phase === 'running' && isNews) this.#stored.saveInBackground()
  }

  setCertificate(certificate: CertificatePair): void {
    this.#stored.identity.renew(certificate)
    this.#running?.data.setCertificate(certificate)
  }

  get revision(): number {
    return this.#stored.desired.revision
  }

  status(): RelayStatus {
    const allocations = this.#running?.table.status() ?? []
    const running = this.#phase === 'running' && this.#running?.data.handle.listening === true
    return { running, revision: this.#stored.desired.revision, allocations }
  }

  traffic(): AllocationTraffic[] {
    return [...this.#totals.values()].map((totals) => ({ ...totals }))
  }

  devices(): RelayDevice[] {
    return this.#running?.links.list() ?? []
  }

  statistics(): RelayStatistics {
    return countParts(this.#running)
  }

  issueTicket(deviceId: string, { expiresInMs, grant }: { expiresInMs?: number; grant?: string } = {}): string {
    return this.#need().tickets.issue(deviceId, expiresInMs, grant)
  }

  disconnectDevice(deviceId: string): void {
    const isWithPlayers = this.#phase === 'leaving' || this.#phase === 'stopping'
    revokeDevice((isWithPlayers ? this.#running : undefined) ?? this.#need(), deviceId)
    this.#predecessor?.follow({ kind: 'cut_device', deviceId })
  }

  on<E extends keyof RelayEvents>(event: E, handler: (payload: RelayEvents[E]) => void): () => void {
    return this.#events.on(event, handler)
  }

  /** Resolves when what is desired now is in force and stored; rejects when it is in force only. */
  async #kept(inForce: Promise<void> | void): Promise<void> {
    const [saved] = await Promise.allSettled([this.#stored.save(), inForce])
    if (saved.status === 'rejected') throw saved.reason
  }

  /** While it stops, for the players who finish yet. */
  #steered(): AllocationTable {
    const isFinishing = this.#phase === 'stopping' && this.#departure === undefined
    return ((isFinishing ? this.#running : undefined) ?? this.#need()).table
  }

  /** Of the start, stop or handover under way. */
  async #outcome(): Promise<void> {
    await this.#change?.catch(() => {})
  }

  #need(): RelayParts {
    if (this.#phase !== 'running' || this.#running === undefined) throw new RelayError('RELAY_ERR_NOT_RUNNING')
    return this.#running
  }

  #assemble(taken?: TakenSockets): RelayParts {
    return createRelayParts({
      options: this.#options,
      ticketKey: this.#stored.ticketKey,
      certificate: this.#stored.identity.certificate,
      memory: this.#stored.memory,
      admissions: this.#stored.admissions,
      events: this.#events,
      totals: this.#totals,
      taken,
    })
  }

  async #start(): Promise<void> {
    try {
      const heritage = this.#heritage
      this.#heritage = undefined
      this.#stored.unmute()
      if (heritage === undefined) await this.#open()
      else await this.#inherit(heritage)
      const { logger } = this.#options
      logger.info({ relayId: this.id, dataPort: this.#dataPort, fingerprint: this.fingerprint }, 'relay started')
      if (this.encryption === 'off')
        logger.warn({ relayId: this.id }, 'encryption is off: TCP between agents and this relay can be read on its way')
    } catch (error) {
      this.#phase = 'stopped'
      throw error
    }
  }

  async #stop(parts: RelayParts, grace: Grace): Promise<void> {
    await closeParts(parts, grace.over)
    if (this.#predecessor !== undefined) await Promise.race([this.#predecessor.ended, grace.over])
    grace.end()
    await this.#departure?.close()
    this.#predecessor?.close()
    this.#departure = undefined
    this.#predecessor = undefined
    await this.#stored.idle()
    this.#running = undefined
    this.#phase = 'stopped'
  }

  async #open(): Promise<void> {
    await this.#stored.load()
    const running = this.#assemble()
    const { bindHost, dataPort } = this.#options
    this.#dataPort = await openDataPort(running, bindHost, dataPort)
    this.#running = running
    this.#phase = 'running'
    await running.table.reconcile(this.#stored.desired.allocations)
  }

  async #inherit(channel: HandOverChannel): Promise<void> {
    const inheritance = await inherit({
      channel,
      relayId: this.id,
      timeoutMs: HANDOVER_TIMEOUT_MS,
      stored: this.#stored,
      totals: this.#totals,
      events: this.#events,
      assemble: (taken) => this.#assemble(taken),
    })
    this.#predecessor = inheritance.predecessor
    this.#epoch = inheritance.epoch
    this.#dataPort = inheritance.dataPort
    this.#running = inheritance.parts
    this.#phase = 'running'
  }

  async #leave(parts: RelayParts, successor: HandOverChannel, timeoutMs: number): Promise<void> {
    try {
      this.#departure = await leave({
        channel: successor,
        timeoutMs,
        parts,
        stored: this.#stored,
        totals: this.#totals,
        events: this.#events,
        epoch: this.#epoch,
        pass: (follow) => this.#predecessor?.follow(follow),
      })
      this.#phase = 'left'
    } catch (error) {
      this.#phase = 'running'
      throw error
    }
  }
}
