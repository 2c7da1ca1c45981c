import type { Socket } from 'node:net'
import type { ConnectionRecord } from './connection-record.js'
import type { PlayerRules } from './player-rules.js'
import { proxyHeaderV1, proxyHeaderV2 } from './proxy-header.js'
import type { PlayerContext } from './public-listener.js'
import type { CloseReason, RelayAllocation } from './relay-types.js'
import { type Splice, splice } from './splice.js'

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

/** One player's TCP connection: waits, unread, for the agent's link, to be let in and for the data connection, and is spliced to it. */
export class TcpPlayer {
  readonly remoteAddress: string
  readonly #socket: Socket
  readonly #options: TcpPlayerOptions
  #withdraw: () => void = () => {}
  #spliced: Splice | undefined
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
  }

  start(): void {
    const { allocation, context } = this.#options
    // Nobody is asked about a player who could not be served.
    const refusal = context.waiting.refusal(allocation.deviceId)
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
    else this.#wait(withdraw)
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
    if (!decided) this.#wait(withdraw)
  }

  #wait(withdraw: () => void): void {
    this.#withdraw = withdraw
    // Into the socket's own bounded buffer, without which a reset would not be noticed.
    this.#socket.read(0)
  }

  cut(why: CloseReason): void {
    this.#why ??= why
    if (this.#spliced === undefined) this.#leave(why)
    else this.#spliced.cut()
  }

  /** To be called now and then: an end for who had nothing to say either way for this long, to within the interval of the calls. */
  cutIfIdle(now: number, idleMs: number): void {
    if (this.#spliced === undefined) return
    const { bytes } = this.#options.record
    if (bytes !== this.#seenBytes) {
      this.#seenBytes = bytes
      this.#seenAt = now
    } else if (now - this.#seenAt > idleMs) this.cut('idle')
  }

  /** Asks the agent for the data connection. */
  #call(): void {
    const { allocation, remoteAddress, remotePort, context } = this.#options
    const call = context.waiting.call({
      allocation,
      remoteAddress,
      remotePort,
      onFailed: (reason) => this.#leave(reason),
      onStream: (stream) => this.#join(stream),
    })
    if (call.ok) this.#withdraw = call.cancel
    else this.#leave(call.reason)
  }

  #join(stream: Socket): void {
    const { record, context, rules } = this.#options
    this.#socket.off('close', this.#onClose)
    record.open()
    this.#seenAt = performance.now()
    const header = this.#proxyHeader()
    if (header !== undefined && stream.writable) stream.write(header)
    this.#spliced = splice(this.#socket, stream, {
      flushTimeoutMs: context.limits.flushTimeoutMs,
      throttles: { fromNear: rules.fromPlayers, fromFar: rules.toPlayers },
      onBytes: (fromPlayer, fromTarget) => record.count(fromPlayer, fromTarget),
      onClose: (reason) => this.#leave(this.#why ?? reason),
    })
  }

  #proxyHeader(): Buffer | undefined {
    const { rules, remoteAddress, remotePort } = this.#options
    const { localAddress, localPort } = this.#socket
    // Without a local address it has left already.
    if (rules.proxyProtocol === 'none' || localAddress === undefined || localPort === undefined) return undefined
    const pair = { protocol: 'tcp' as const, remoteAddress, remotePort, localAddress, localPort }
    return rules.proxyProtocol === 'v1' ? proxyHeaderV1(pair) : proxyHeaderV2(pair)
  }

  readonly #onClose = (): void => this.#leave('reset')

  #leave(reason: CloseReason): void {
    if (this.#gone) return
    this.#gone = true
    this.#withdraw()
    this.#socket.destroy()
    this.#options.record.close(reason)
    this.#options.onGone()
  }
}
