import type { Logger } from '@sallyport/core'
import {
  type AllocationTraffic,
  type CloseReason,
  type PanelMessage,
  parseRelayMessage,
  type RelayChange,
  type RelayConnectionsMessage,
  type RelayEvents,
  type RelayHello,
  type RelayMessage,
  type RelayState,
  type RelayStatus,
  type RelayStatusMessage,
  splitRelayChange,
  splitRelayState,
} from '@sallyport/relay'
import { tunnelErrors } from '../errors.js'
import { createHandlers, type Handlers } from '../handlers.js'
import type { RelayLoad } from '../relays/steered-relay.js'
import { type AdmissionQuestions, createAdmissionQuestions, type RelayAdmission } from './admission-questions.js'
import type { ControlPeer, ControlSession } from './control-session.js'
import { MessageRate } from './message-rate.js'
import type { RemoteRelay } from './relay-session.js'
import { createRevisionWaits, type RevisionWaits } from './relay-waits.js'
import { type ConditionChange, ToldAllocations } from './told-allocations.js'

type ConnectionEvent = RelayEvents['connection']

/** Once all is sent, how long the relay has to say that it is in force. */
const answerTimeoutMs = 5_000
/** For sending all parts of a state over a slow line. */
const sendTimeoutMs = 30_000
/** Counts each second, conditions, connections: admission questions have a bound of their own. */
const reportRate = { burst: 1_000, perSecond: 200 }

const refusals: ReadonlySet<CloseReason> = new Set<CloseReason>([
  'no_link',
  'busy',
  'denied',
  'timeout',
  'target_refused',
  'target_unreachable',
  'target_timeout',
  'target_forbidden',
  'agent_busy',
])

interface RelayPeerOptions {
  readonly session: ControlSession
  readonly hello: RelayHello
  readonly logger: Logger
  readonly admission: RelayAdmission | undefined
}

/** A stand-alone relay at the other end of a control channel. */
export class RelayPeer implements RemoteRelay, ControlPeer {
  readonly hello: RelayHello
  readonly #session: ControlSession
  readonly #logger: Logger
  readonly #told = new ToldAllocations()
  readonly #waits: RevisionWaits
  readonly #admission: AdmissionQuestions | undefined
  readonly #rate = new MessageRate(reportRate.burst, reportRate.perSecond)
  readonly #connections: Handlers<ConnectionEvent>
  readonly #conditions: Handlers<ConditionChange>
  readonly #loads: Handlers<RelayLoad>
  readonly #opened: Promise<void>
  #open: () => void = () => undefined
  #end: (error: Error) => void = () => undefined
  #hasEnded = false
  #load: RelayLoad = { devices: 0, connections: 0, draining: false }
  #clockOffsetMs: number
  /** The revision last sent; undefined: none on this connection. */
  #sent: number | undefined
  /** The revision that the relay last named. */
  #inForce: number
  /** The same, but only of what was sent on this connection. */
  #confirmed = -1

  constructor({ session, hello, logger, admission }: RelayPeerOptions) {
    this.#session = session
    this.hello = hello
    this.#logger = logger
    this.#inForce = hello.revision
    this.#clockOffsetMs = hello.time - Date.now()
    this.#waits = createRevisionWaits(session.deviceId)
    this.#connections = createHandlers(logger)
    this.#conditions = createHandlers(logger)
    this.#loads = createHandlers(logger)
    this.#admission =
      admission &&
      createAdmissionQuestions(this.id, admission, logger, (id, allow) =>
        session.send({ type: 'admission', id, allow }),
      )
    this.#opened = new Promise((resolve, reject) => {
      this.#open = resolve
      this.#end = reject
    })
    // It may end before anybody waits.
    this.#opened.catch(() => undefined)
  }

  get id(): string {
    return this.#session.deviceId
  }

  get epoch(): string {
    return this.hello.epoch
  }

  get clockOffsetMs(): number {
    return this.#clockOffsetMs
  }

  /** `welcome` was sent: what waits is sent now. */
  opened(): void {
    this.#open()
  }

  ended(): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    this.#end(tunnelErrors.RELAY_UNANSWERED({ relay: this.id }))
    this.#waits.end()
  }

  async apply({ revision, allocations }: RelayState): Promise<void> {
    await this.#opened
    if (this.#sent !== undefined && revision <= this.#sent) return
    const messages = splitRelayState(revision, allocations)
    this.#sent = revision
    const removed = this.#told.replace(allocations)
    await this.#tell(messages, revision)
    for (const change of removed) this.#conditions.tell(change)
  }

  async change({ revision, upsert, remove }: RelayChange): Promise<void> {
    await this.#opened
    if (this.#sent === undefined) throw tunnelErrors.RELAY_UNANSWERED({ relay: this.id })
    if (revision <= this.#sent) return
    const messages = splitRelayChange(this.#sent, { revision, upsert, remove })
    this.#sent = revision
    const removed = this.#told.remove(remove)
    this.#told.upsert(upsert)
    await this.#tell(messages, revision)
    for (const change of removed) this.#conditions.tell(change)
  }

  disconnectDevice(deviceId: string): void {
    // What is not open yet has been told of no device; the desired state that it is given has the new grant.
    if (this.#session.isOpen) this.#session.send({ type: 'relay_disconnect', deviceId })
  }

  get revision(): number {
    return this.#inForce
  }

  status(): RelayStatus {
    return { running: !this.#hasEnded, revision: this.#inForce, allocations: this.#told.statuses() }
  }

  traffic(): AllocationTraffic[] {
    return this.#told.traffic()
  }

  load(): RelayLoad {
    return this.#load
  }

  on<E extends keyof RelayEvents>(event: E, handler: (payload: RelayEvents[E]) => void): () => void {
    if (event === 'connection') return this.#connections.on(handler as (payload: ConnectionEvent) => void)
    if (event === 'allocation') return this.#conditions.on(handler as (payload: ConditionChange) => void)
    return () => undefined
  }

  onLoad(handler: (load: RelayLoad) => void): () => void {
    return this.#loads.on(handler)
  }

  refuse(error: string, detail: string): void {
    this.#session.refuse(error, detail)
  }

  receive(text: string): void {
    const parsed = parseRelayMessage(text)
    if (!parsed.ok) {
      this.#session.refuse(parsed.error, 'the message is not understood', parsed.field)
      return
    }
    if (parsed.message.type !== 'admission' && !this.#rate.take()) {
      this.#session.refuse('too_many_messages', 'too much is sent')
      return
    }
    this.#take(parsed.message)
  }

  #take(message: RelayMessage): void {
    if (message.type === 'relay_status') this.#onStatus(message)
    else if (message.type === 'relay_connections') this.#onConnections(message)
    else if (message.type === 'admission') {
      if (this.#admission && this.#told.has(message.allocationId)) this.#admission.ask(message)
    } else if (message.epoch === this.epoch) this.#told.count(message.totals)
    else this.#session.refuse('epoch_changed', 'the epoch is not that of hello')
  }

  #onStatus({ revision, allocations, devices, connections, draining, time }: RelayStatusMessage): void {
    this.#clockOffsetMs = time - Date.now()
    this.#inForce = revision
    const changes = this.#told.note(allocations)
    const { devices: before, connections: players, draining: drained } = this.#load
    const loadChanged = devices !== before || connections !== players || draining !== drained
    if (loadChanged) this.#load = { devices, connections, draining }
    if (this.#sent !== undefined) {
      this.#confirmed = revision
      this.#waits.reached(revision)
    }
    for (const change of changes) this.#conditions.tell(change)
    if (loadChanged) this.#loads.tell(this.#load)
  }

  #onConnections({ ended, dropped }: RelayConnectionsMessage): void {
    if (dropped > 0) this.#logger.warn({ relayId: this.id, dropped }, 'a relay could not keep the ends of connections')
    for (const end of ended) {
      if (!this.#told.has(end.allocationId)) continue
      this.#connections.tell({ ...end, phase: refusals.has(end.reason) ? 'refused' : 'close' })
    }
  }

  /** Sends one after the other, so that no more than one waits in this process. */
  async #tell(messages: readonly PanelMessage[], revision: number): Promise<void> {
    const until = performance.now() + sendTimeoutMs
    for (const message of messages) await this.#written(message, until - performance.now())
    // It may have answered before this process heard that all had left.
    if (this.#confirmed < revision) await this.#waits.until(revision, answerTimeoutMs)
  }

  #written(message: PanelMessage, timeoutMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const late = (): void => reject(tunnelErrors.RELAY_UNANSWERED({ relay: this.id }))
      const timer = setTimeout(late, timeoutMs)
      this.#session.send(message, () => {
        clearTimeout(timer)
        resolve()
      })
    })
  }
}
