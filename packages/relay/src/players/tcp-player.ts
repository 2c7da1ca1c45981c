import type { Socket } from 'node:net'
import type { CloseReason, RelayAllocation } from '../relay-types.js'
import type { Exchange } from '../stream/data-connection.js'
import { resetSocket } from '../stream/reset-socket.js'
import type { ConnectionRecord } from './connection-record.js'
import type { PlayerRules } from './player-rules.js'
import { proxyHeaderV1, proxyHeaderV2 } from './proxy-header.js'
import type { PlayerContext } from './public-listener.js'

export interface TcpPlayerOptions {
  allocation: RelayAllocation
  remoteAddress: string
  remotePort: number
  rules: PlayerRules
  record: ConnectionRecord
  context: PlayerContext
  /** Once, when nothing of this player is left. */
  onGone: () => void
}

/**
 * One player's TCP connection: waits, unread, for the agent's link, to be let in and for a data connection. Once that has begun with him, he
 * is read when he has something to say, before the agent has reached the target.
 */
export class TcpPlayer {
  readonly remoteAddress: string
  readonly #socket: Socket
  readonly #options: TcpPlayerOptions
  #withdraw: () => void = () => {}
  #exchange: Exchange | undefined
  /** The socket is the exchange's. */
  #joined = false
  /** Bytes, or an end, are there to be read. */
  #speaks = false
  #accepted = false
  /** Read before it was accepted. */
  #earlyBytes = 0
  /** Why it was broken off, when we did it. */
  #why: CloseReason | undefined
  #gone = false
  #seenBytes = 0
  #seenAt = 0

  constructor(socket: Socket, options: TcpPlayerOptions) {
    this.#socket = socket
    this.#options = options
    this.remoteAddress = options.remoteAddress
    socket.on('close', this.#onClose)
    // Into the socket's own bounded buffer, without which a reset would not be noticed.
    socket.on('readable', this.#onReadable)
  }

  start(): void {
    const { allocation, context } = this.#options
    // Nobody is asked about a player who could not be served.
    const refusal = context.pools.refusal(allocation.deviceId)
    if (refusal === undefined) this.#ask()
    else if (refusal === 'no_link') this.#hold()
    else this.#leave(refusal)
  }

  #hold(): void {
    const { allocation, context } = this.#options
    const withdraw = context.held.hold(allocation.deviceId, (linked) => {
      if (linked) this.#ask()
      else this.#leave('no_link')
    })
    if (withdraw === undefined) this.#leave('busy')
    else this.#withdraw = withdraw
  }

  /** May the player in? */
  #ask(): void {
    const { allocation, remoteAddress, remotePort, context } = this.#options
    let decided = false
    const knock = { allocationId: allocation.id, protocol: 'tcp' as const, remoteAddress, remotePort }
    const withdraw = context.admissions.ask(knock, (allowed) => {
      decided = true
      if (allowed) this.#call()
      else this.#leave('denied')
    })
    if (!decided) this.#withdraw = withdraw
  }

  /** His socket is reset at once. The agent hears of it when it is closed: of many who are cut, none waits for that of another. */
  cut(why: CloseReason): void {
    this.#why ??= why
    if (this.#joined) resetSocket(this.#socket)
    else this.#leave(why)
  }

  /** For another process, where he begins anew; undefined: he is served here, or has left. */
  release(): Socket | undefined {
    if (this.#exchange !== undefined || this.#gone) return undefined
    this.#gone = true
    this.#withdraw()
    this.#socket.off('close', this.#onClose).off('readable', this.#onReadable)
    this.#options.onGone()
    return this.#socket
  }

  /** To be called now and then: an end for who had nothing to say either way for this long, to within the interval of the calls. */
  cutIfIdle(now: number, idleMs: number): void {
    if (!this.#accepted) return
    const { bytes } = this.#options.record
    if (bytes !== this.#seenBytes) {
      this.#seenBytes = bytes
      this.#seenAt = now
    } else if (now - this.#seenAt > idleMs) this.cut('idle')
  }

  /** Takes a data connection, or waits for one. */
  #call(): void {
    const { allocation, remoteAddress, remotePort, context } = this.#options
    const { id: allocationId, target, deviceId } = allocation
    const taken = context.pools.take(deviceId, {
      message: { allocationId, target, remoteAddress, remotePort },
      onPlace: (exchange) => {
        this.#exchange = exchange
        if (this.#speaks) this.#join(exchange)
      },
      onLost: () => {
        if (this.#joined) return false
        this.#exchange = undefined
        return true
      },
      onAccept: () => this.#open(),
      onFail: (reason) => this.#leave(reason),
    })
    if (taken.ok) this.#withdraw = taken.cancel
    else this.#leave(taken.reason)
  }

  readonly #onReadable = (): void => {
    this.#speaks = true
    if (this.#exchange !== undefined) this.#join(this.#exchange)
  }

  /** From here on what he says is on its way, and cannot be given to another connection. */
  #join(exchange: Exchange): void {
    const { rules } = this.#options
    this.#joined = true
    this.#socket.off('close', this.#onClose).off('readable', this.#onReadable)
    const header = this.#proxyHeader()
    if (header !== undefined) exchange.send(header)
    exchange.join(this.#socket, {
      throttles: { fromNear: rules.fromPlayers, fromFar: rules.toPlayers },
      onBytes: (fromPlayer, fromTarget) => this.#count(fromPlayer, fromTarget),
      onClose: (reason) => this.#leave(this.#why ?? reason),
    })
  }

  /** The agent has reached the target. */
  #open(): void {
    const { record } = this.#options
    this.#accepted = true
    this.#seenAt = performance.now()
    record.open()
    record.count(this.#earlyBytes, 0)
    // Whoever heard of it may have cut him.
    if (!this.#joined && !this.#gone && this.#exchange !== undefined) this.#join(this.#exchange)
  }

  /** What a target that was not reached has not heard is not counted. */
  #count(fromPlayer: number, fromTarget: number): void {
    if (this.#accepted) this.#options.record.count(fromPlayer, fromTarget)
    else this.#earlyBytes += fromPlayer
  }

  #proxyHeader(): Buffer | undefined {
    const { rules, remoteAddress, remotePort } = this.#options
    if (rules.proxyProtocol === 'none') return undefined
    const { localAddress, localPort } = this.#socket
    // Without a local address it has left already.
    if (localAddress === undefined || localPort === undefined) return undefined
    const pair = { protocol: 'tcp' as const, remoteAddress, remotePort, localAddress, localPort }
    return rules.proxyProtocol === 'v1' ? proxyHeaderV1(pair) : proxyHeaderV2(pair)
  }

  readonly #onClose = (): void => this.#leave('reset')

  #leave(reason: CloseReason): void {
    if (this.#gone) return
    this.#gone = true
    this.#withdraw()
    if (!this.#joined) this.#exchange?.cut()
    // Who got nothing must not take it for an answer that is empty.
    resetSocket(this.#socket)
    this.#options.record.close(reason)
    this.#options.onGone()
  }
}
