import { randomBytes } from 'node:crypto'
import type { Socket } from 'node:net'
import type { DeviceLinks } from './device-links.js'
import type { RelayLimits } from './limits.js'
import { KeyedCounts } from './permits.js'
import type { RejectMessage } from './protocol.js'
import type { CloseReason, RelayAllocation } from './relay-types.js'
import { sourceKey } from './source-key.js'

export interface PlayerCall {
  allocation: RelayAllocation
  remoteAddress: string
  remotePort: number
  /** The agent's data connection, to be used as it is. At most one of the two is called, once, never within `call`. */
  onStream: (socket: Socket) => void
  onFailed: (reason: CloseReason) => void
}

interface Waiting {
  call: PlayerCall
  connectionId: number
  token: string
  timer: NodeJS.Timeout
  uncount: () => void
}

const TOKEN_BYTES = 16

/** Players between OPEN and DATA: each asks the device's link for a data connection and waits for it, bounded in number and time. */
export class WaitingPlayers {
  readonly #links: DeviceLinks
  readonly #limits: RelayLimits
  readonly #byToken: Map<string, Waiting> = new Map()
  readonly #byId: Map<number, Waiting> = new Map()
  readonly #perDevice: KeyedCounts = new KeyedCounts()
  readonly #perSource: KeyedCounts = new KeyedCounts()
  #lastId = 0

  constructor(links: DeviceLinks, limits: RelayLimits) {
    this.#links = links
    this.#limits = limits
  }

  /** How many data connections may come at any moment from this source (see `sourceKey`). */
  expectedFrom(source: string): number {
    return this.#perSource.of(source)
  }

  get expected(): number {
    return this.#byId.size
  }

  /** Why a call for this device could not be made now. */
  refusal(deviceId: string): 'no_link' | 'busy' | undefined {
    if (!this.#links.has(deviceId)) return 'no_link'
    return this.#perDevice.of(deviceId) >= this.#limits.maxWaitingPerDevice ? 'busy' : undefined
  }

  /** Gives what cancels the call, or why it cannot be made. */
  call(call: PlayerCall): { ok: true; cancel: () => void } | { ok: false; reason: 'no_link' | 'busy' } {
    const { deviceId, id: allocationId, protocol, target } = call.allocation
    const reason = this.refusal(deviceId)
    if (reason !== undefined) return { ok: false, reason }
    this.#lastId += 1
    const connectionId = this.#lastId
    const token = randomBytes(TOKEN_BYTES).toString('base64url')
    const uncountDevice = this.#perDevice.add(deviceId)
    const uncountSource = this.#perSource.add(sourceKey(this.#links.addressOf(deviceId) ?? ''))
    const waiting: Waiting = {
      call,
      connectionId,
      token,
      timer: setTimeout(() => this.#fail(waiting, 'timeout'), this.#limits.openTimeoutMs),
      uncount: () => {
        uncountDevice()
        uncountSource()
      },
    }
    this.#byToken.set(token, waiting)
    this.#byId.set(connectionId, waiting)
    const { remoteAddress, remotePort } = call
    this.#links.open(deviceId, { connectionId, allocationId, protocol, token, target, remoteAddress, remotePort })
    return { ok: true, cancel: () => void this.#take(waiting) }
  }

  /** A data connection with this token has come. False: nobody waits for it (used, late or made up). */
  connect(token: string, socket: Socket): boolean {
    const waiting = this.#byToken.get(token)
    if (waiting === undefined || !this.#take(waiting)) return false
    waiting.call.onStream(socket)
    return true
  }

  reject(deviceId: string, message: RejectMessage): void {
    const waiting = this.#byId.get(message.connectionId)
    if (waiting?.call.allocation.deviceId === deviceId) this.#fail(waiting, message.error)
  }

  #fail(waiting: Waiting, reason: CloseReason): void {
    if (this.#take(waiting)) waiting.call.onFailed(reason)
  }

  /** True for exactly one taker. */
  #take(waiting: Waiting): boolean {
    if (!this.#byToken.delete(waiting.token)) return false
    this.#byId.delete(waiting.connectionId)
    clearTimeout(waiting.timer)
    waiting.uncount()
    return true
  }
}
