import { STABLE_MS } from '../backoff.js'
import { type DialStream, FallbackStream } from './agent-fallback-stream.js'
import type { ChannelSession } from './channel-session.js'
import type { ChannelTimings } from './channel-timings.js'
import type { ItemHandlers } from './datagram-channel.js'

export interface FallbackStreamsOptions {
  maxBufferBytes: number
  timings: ChannelTimings
  onItem: ItemHandlers['onItem']
  /** `usable` may be another now. */
  onChange: () => void
}

/** The streams that stand in for UDP: one as a rule, two while one of a new session takes over from one of the session before. */
export class FallbackStreams {
  readonly #options: FallbackStreamsOptions
  #session: ChannelSession | undefined
  #dial: DialStream | undefined
  #newest: FallbackStream | undefined
  #older: FallbackStream | undefined
  #failures = 0
  #notBefore = 0

  constructor(options: FallbackStreamsOptions) {
    this.#options = options
  }

  get usable(): FallbackStream | undefined {
    if (this.#newest?.up === true) return this.#newest
    return this.#older?.up === true ? this.#older : undefined
  }

  /** Streams from now on are this session's; one that is in use is replaced. */
  renew(session: ChannelSession, dial: DialStream): void {
    this.#session = session
    this.#dial = dial
    this.#failures = 0
    this.#notBefore = 0
    const inUse = this.usable
    if (this.#newest === undefined && inUse === undefined) return
    for (const stream of [this.#newest, this.#older]) if (stream !== inUse) stream?.end()
    this.#older = inUse
    this.#open()
  }

  /** To be called about once a second; `wanted`: dial one when there is none. */
  keep(now: number, wanted: boolean): void {
    this.#newest?.check(now)
    this.#older?.check(now)
    if (wanted && this.#newest === undefined && now >= this.#notBefore) this.#open()
  }

  /** What waits in them is still sent, and what comes is still taken. */
  end(): void {
    this.#older?.end()
    this.#newest?.end()
    this.#older = undefined
    this.#newest = undefined
  }

  #open(): void {
    const session = this.#session
    const dial = this.#dial
    if (session === undefined || dial === undefined) return
    const dialledAt = performance.now()
    const { maxBufferBytes, timings, onItem, onChange } = this.#options
    const stream: FallbackStream = new FallbackStream({
      session,
      dial,
      maxBufferBytes,
      timings,
      onItem,
      onUp: () => {
        this.#older?.end()
        this.#older = undefined
        onChange()
      },
      onDown: () => this.#lost(stream, dialledAt),
    })
    this.#newest = stream
  }

  #lost(stream: FallbackStream, dialledAt: number): void {
    if (this.#older === stream) this.#older = undefined
    if (this.#newest === stream) {
      const { retryMinMs, retryMaxMs } = this.#options.timings
      const now = performance.now()
      this.#newest = undefined
      this.#failures = now - dialledAt >= STABLE_MS ? 0 : Math.min(this.#failures + 1, 16)
      const waitMs = this.#failures === 0 ? 0 : Math.min(retryMaxMs, retryMinMs * 2 ** (this.#failures - 1))
      this.#notBefore = now + waitMs
    }
    this.#options.onChange()
  }
}
