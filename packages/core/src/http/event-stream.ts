import type { Principal } from '../identity/principal.js'

/** One event as it goes over the wire; made once for however many streams it is sent on. */
export type EventFrame = Buffer

/** An open stream of server-sent events (WHATWG HTML section 9.2). */
export interface EventStream {
  /** Whose credentials the request carries, as last looked at; undefined on a route that asks for none. */
  readonly principal: Principal | undefined
  /**
   * Whether something may be sent: the reader has taken nearly all of what was sent, and its credentials are known to hold. What is
   * not sent now should not be kept, but made anew when the feed is told to resume.
   */
  readonly ready: boolean
  /** Without effect once the stream has ended. */
  send(frame: EventFrame): void
  /**
   * Looks at guards and credentials again, as the route did at first, unless that is not older than `maxAgeMs`. Ends the stream when they
   * do not hold. Never rejects.
   */
  check(maxAgeMs: number): Promise<void>
  end(): void
}

/** What sends the events of one stream. */
export interface EventFeed {
  /** The stream is open, or ready again after it was not. */
  resume(): void
  /** The credentials still hold, and may permit something else. */
  principalChanged?(principal: Principal): void
  /** However it ended. Called once. */
  ended(): void
}

export interface EventStreamOptions {
  /** How often a comment is sent, which keeps proxies from closing. Default 15,000. */
  readonly heartbeatMs?: number
  /** How often guards and credentials are looked at again. Default 3,000. */
  readonly checkMs?: number
  /** A reader that takes nothing for this long is cut. Default 60,000. */
  readonly stalledMs?: number
  /** Longest life, give or take a tenth. Default an hour. */
  readonly lifeMs?: number
  /** Bytes that may wait for the reader before the stream is no longer `ready`. Default 256 KiB. */
  readonly maxWaitingBytes?: number
}

/** What a route's handler returns to answer with a stream. */
export class EventStreamAnswer {
  readonly open: (stream: EventStream) => EventFeed
  readonly options: Required<EventStreamOptions>

  constructor(open: EventStreamAnswer['open'], options: EventStreamOptions) {
    this.open = open
    const { heartbeatMs, ...others } = { ...defaults, ...options }
    // A heartbeat is what a reader that is there takes.
    this.options = { ...others, heartbeatMs: Math.min(heartbeatMs, others.stalledMs / 2) }
  }
}

const defaults: Required<EventStreamOptions> = {
  heartbeatMs: 15_000,
  checkMs: 3_000,
  stalledMs: 60_000,
  lifeMs: 3_600_000,
  maxWaitingBytes: 256 * 1024,
}

/**
 * Answers a request with server-sent events, for as long as its credentials hold. No other answer's hook, serializer or compression is
 * in the way, a stop of the kernel does not wait for it, and HEAD is answered with the headers alone.
 * @param open called once, and not for HEAD; may throw a catalogued error, which is answered as usual; may not send before `resume`
 */
export function eventStream(
  open: (stream: EventStream) => EventFeed,
  options: EventStreamOptions = {},
): EventStreamAnswer {
  return new EventStreamAnswer(open, options)
}

/** @param json text without line breaks, as `JSON.stringify` makes it */
export function eventFrame(event: string, json: string): EventFrame {
  return Buffer.from(`event: ${event}\ndata: ${json}\n\n`)
}
