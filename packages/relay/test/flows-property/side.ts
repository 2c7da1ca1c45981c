import { createHash, type Hash } from 'node:crypto'
import { readSync } from 'node:fs'
import type { Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { type BreakPlan, below, type Random, type SidePlan } from './plan.js'

/** A slow reader stops this often at most, so that many small chunks do not take for ever. */
const MAX_STOPS = 20
const ONE_BYTE: Buffer = Buffer.alloc(1)

export interface SideResult {
  received: number
  sha256: string
  /** The other side's end was seen. */
  ended: boolean
  /** Its own end was said. */
  finished: boolean
  /** It broke the connection off itself. */
  broke: boolean
  error: string | undefined
}

/** One end of a flow, as its plan says. */
export class Side {
  readonly socket: Socket
  readonly #plan: SidePlan
  readonly #content: Buffer
  readonly #random: Random
  readonly #hash: Hash = createHash('sha256')
  readonly #breaksAfter: BreakPlan['after'] | undefined
  readonly #mayBreak: Promise<unknown>
  readonly #closed: Promise<void>
  #received = 0
  #steps = 0
  #stops = 0
  #ended = false
  #finished = false
  #broke = false
  #error: string | undefined
  #wake: () => void = () => {}

  constructor(
    socket: Socket,
    plan: SidePlan,
    content: Buffer,
    random: Random,
    breaking: { after: BreakPlan['after'] | undefined; once: Promise<unknown> },
  ) {
    this.socket = socket
    this.#plan = plan
    this.#content = content
    this.#random = random
    this.#breaksAfter = breaking.after
    this.#mayBreak = breaking.once
    this.#closed = new Promise((resolve) => socket.once('close', () => resolve()))
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.#error ??= error.code ?? error.message
    })
    socket.on('end', () => {
      this.#ended = true
      this.#error ??= hiddenError(socket)
      this.#wake()
    })
    socket.on('close', () => this.#wake())
    socket.on('drain', () => this.#wake())
    if (plan.reads !== 'when it has spoken') this.#read()
  }

  /** Resolves when the socket is closed. */
  async run(): Promise<SideResult> {
    await this.#speak()
    if (this.#plan.reads === 'when it has spoken') this.#read()
    await this.#closed
    const [received, ended, finished] = [this.#received, this.#ended && this.#error === undefined, this.#finished]
    return {
      received,
      ended,
      finished,
      broke: this.#broke,
      sha256: this.#hash.digest('hex'),
      error: this.#error,
    }
  }

  /** Grows as long as it says or hears something. */
  get steps(): number {
    return this.#steps
  }

  /** Where it stands, for whoever waits in vain. */
  toString(): string {
    const { readyState, writableLength } = this.socket
    const state = { received: this.#received, ended: this.#ended, finished: this.#finished, broke: this.#broke }
    return JSON.stringify({ ...state, readyState, writableLength, error: this.#error })
  }

  /** Nothing more can be said. */
  get #over(): boolean {
    return this.#broke || this.socket.destroyed
  }

  #read(): void {
    const { socket } = this
    socket.on('data', (chunk: Buffer) => {
      this.#hash.update(chunk)
      this.#received += chunk.length
      this.#steps += 1
      this.#wake()
      void this.#breakIf('received', this.#received)
      if (this.#plan.reads !== 'slowly' || this.#stops === MAX_STOPS) return
      this.#stops += 1
      socket.pause()
      setTimeout(() => socket.resume(), below(this.#random, 4))
    })
    socket.resume()
    void this.#breakIf('received', 0)
  }

  async #speak(): Promise<void> {
    const { speaks, pieces, pauseMs, bytes } = this.#plan
    if (speaks === 'when it has heard something') await this.#until(() => this.#received > 0 || this.#ended)
    if (speaks === 'when the other has finished') await this.#until(() => this.#ended)
    let sent = 0
    for (let piece = pieces; piece > 0 && !this.#over; piece -= 1) {
      await this.#breakIf('sent', sent)
      const left = bytes - sent
      const size = piece === 1 ? left : Math.min(left, below(this.#random, Math.ceil((2 * left) / piece) + 1))
      const end = this.#cutOff(sent + size)
      const flowing = this.socket.write(this.#content.subarray(sent, end))
      sent = end
      this.#steps += 1
      await this.#breakIf('sent', sent)
      if (!flowing) await this.#until(() => !this.socket.writableNeedDrain)
      if (pauseMs > 0) await delay(below(this.#random, pauseMs + 1))
    }
    if (this.#plan.ends === 'when the other has finished') await this.#until(() => this.#ended)
    if (this.#over) return
    this.#finished = true
    this.socket.end()
  }

  /** A piece ends where the connection is to be broken off. */
  #cutOff(end: number): number {
    const after = this.#breaksAfter
    return after !== undefined && 'sent' in after ? Math.min(end, after.sent) : end
  }

  async #breakIf(what: 'sent' | 'received', amount: number): Promise<void> {
    const after = this.#breaksAfter
    if (after === undefined) return
    const wanted = 'sent' in after ? after.sent : after.received
    if (what in after && amount >= wanted) await this.#break()
  }

  async #break(): Promise<void> {
    await this.#mayBreak
    if (this.socket.destroyed || this.#broke) return
    this.#broke = true
    // No reset can be ordered behind an end; what comes in then is answered by one.
    if (this.#finished) this.socket.destroy()
    else this.socket.resetAndDestroy()
    this.#wake()
  }

  async #until(condition: () => boolean): Promise<void> {
    while (!condition() && !this.#over)
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
  }
}

/** Data and a reset that come together read as data and an end in Node (libuv, on POLLHUP). The system still knows. */
function hiddenError(socket: Socket): string | undefined {
  const { fd } = (socket as Socket & { _handle: { fd: number } })._handle
  if (fd < 0) return undefined
  try {
    readSync(fd, ONE_BYTE, 0, 1, null)
    return undefined
  } catch (error) {
    return (error as NodeJS.ErrnoException).code
  }
}
