import { Socket } from 'node:net'
import type { AllocationTraffic, RelayEvents } from '../relay-types.js'
import { isInteger } from '../untrusted.js'
import type { Follow } from './departure.js'
import { type HandOverChannel, HandOverLine, type HandOverMessage, handOverFailed } from './hand-over-line.js'
import { isConnectionEvent, isList, isTraffic } from './handed-fields.js'
import { type HandedState, readHandedState } from './handed-state.js'
import { type SocketName, TakenSockets } from './taken-sockets.js'
import { addTraffic } from './traffic-growth.js'
import type { HandedPlayer } from './unread.js'

export interface TakeOverOptions {
  channel: HandOverChannel
  timeoutMs: number
  totals: ReadonlyMap<number, AllocationTraffic>
  /**
   * Makes everything of the state, within the call as far as the claims on sockets go; resolves when each has come. Throws what is wrong
   * with it.
   */
  build: (state: HandedState, sockets: TakenSockets) => Promise<void>
  onPlayer: (allocationId: number, socket: Socket) => void
  onConnection: (event: RelayEvents['connection']) => void
}

/** The new process's part: takes state and sockets, and then what the old process still has to say of its players. */
export class Predecessor {
  readonly #options: TakeOverOptions
  readonly #line: HandOverLine
  readonly #timer: NodeJS.Timeout
  /** Players of its own, by allocation. */
  readonly #open: Map<number, number> = new Map()
  readonly #ended: Promise<void>
  #sockets: TakenSockets | undefined
  #settle: { resolve: () => void; reject: (error: Error) => void } | undefined
  #onEnded: () => void = () => {}
  #ready = false
  #serving = false
  /** It does not come to serve. */
  #failure: Error | undefined

  constructor(options: TakeOverOptions) {
    const { channel, timeoutMs } = options
    this.#options = options
    this.#ended = new Promise((resolve) => {
      this.#onEnded = resolve
    })
    this.#line = new HandOverLine(channel, {
      onMessage: (message) => this.#take(message),
      onEnd: (why) => this.#lost(why),
    })
    this.#timer = setTimeout(() => this.#fail('the process before did not hand over in time'), timeoutMs)
  }

  /** Resolves when this process serves. Rejects with RELAY_ERR_HANDOVER_FAILED; what was built is the caller's to close. */
  takeOver(): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) {
        reject(this.#failure)
        return
      }
      this.#settle = { resolve, reject }
      void this.#line.send('ask')
    })
  }

  /** Resolves when the process before has no player any more. */
  get ended(): Promise<void> {
    return this.#ended
  }

  /** What holds now, for players who are still there. */
  follow(follow: Follow): void {
    if (this.#serving) void this.#line.send(follow.kind, follow)
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#line.close()
  }

  /** True: the handle is taken. */
  #take({ kind, body, handle }: HandOverMessage): boolean {
    switch (kind) {
      case 'offer':
        // It may have begun to listen only now.
        if (this.#sockets === undefined) void this.#line.send('ask')
        break
      case 'state':
        this.#build(body)
        break
      case 'socket':
        return this.#sockets?.deliver(body as SocketName, handle) === true
      case 'sockets_sent':
        this.#sockets?.abandon()
        break
      case 'commit':
        this.#serve()
        break
      case 'abort':
        if (this.#serving) break
        this.#fail('the process before broke it off')
        this.#line.close()
        break
      case 'player':
        return this.#serving && handle instanceof Socket && this.#takePlayer(body as HandedPlayer | null, handle)
      case 'traffic':
        if (this.#serving && isList(body, isTraffic)) this.#count(body)
        break
      case 'connection':
        if (this.#serving && isConnectionEvent(body)) this.#options.onConnection(body)
        break
      case 'done':
        if (this.#serving) this.#end()
        break
    }
    return false
  }

  #takePlayer(player: HandedPlayer | null, socket: Socket): boolean {
    const { allocationId, said } = player ?? {}
    if (!isInteger(allocationId) || (said !== undefined && typeof said !== 'string')) return false
    if (said !== undefined) socket.unshift(Buffer.from(said, 'base64'))
    this.#options.onPlayer(allocationId, socket)
    return true
  }

  #build(body: unknown): void {
    if (this.#sockets !== undefined || this.#failure !== undefined) return
    const state = readHandedState(body)
    if (state === undefined) {
      this.#fail('what the process before said is no state of a relay')
      return
    }
    const sockets = new TakenSockets(state.sockets)
    this.#sockets = sockets
    // Those whose UDP flows go over are its own no longer.
    for (const { allocationId, open } of state.totals) this.#open.set(allocationId, open)
    for (const { message, progress } of state.flows)
      if (progress.openForMs !== undefined) this.#grow(message.allocationId, -1)
    this.#options.build(state, sockets).then(
      () => {
        if (this.#failure !== undefined) return
        // From here on the other side decides, and no time of ours.
        clearTimeout(this.#timer)
        this.#ready = true
        void this.#line.send('ready')
      },
      (error: unknown) => this.#fail(error instanceof Error ? error.message : String(error)),
    )
  }

  #serve(): void {
    if (this.#serving || !this.#ready || this.#failure !== undefined) return
    this.#serving = true
    this.#settle?.resolve()
  }

  #fail(why: string): void {
    if (this.#serving || this.#failure !== undefined) return
    this.#failure = handOverFailed(why)
    clearTimeout(this.#timer)
    void this.#line.send('failed', why)
    this.#sockets?.abandon()
    // What still comes has to be closed: it would take players from the one who goes on.
    setTimeout(() => this.#line.close(), this.#options.timeoutMs).unref()
    this.#onEnded()
    this.#settle?.reject(this.#failure)
  }

  #count(growth: AllocationTraffic[]): void {
    addTraffic(this.#options.totals, growth)
    for (const { allocationId, open } of growth) this.#grow(allocationId, open)
  }

  #grow(allocationId: number, open: number): void {
    this.#open.set(allocationId, (this.#open.get(allocationId) ?? 0) + open)
  }

  #lost(why: string): void {
    if (this.#serving) this.#end()
    else this.#fail(why)
  }

  /** Players that it did not take leave of have gone with it. */
  #end(): void {
    const gone = [...this.#open].filter(([, open]) => open !== 0)
    addTraffic(
      this.#options.totals,
      gone.map(([allocationId, open]) => ({ allocationId, bytesIn: 0, bytesOut: 0, connections: 0, open: -open })),
    )
    this.#open.clear()
    this.#line.close()
    this.#onEnded()
  }
}
