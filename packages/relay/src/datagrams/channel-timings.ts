/** When an agent takes UDP for usable, and when not. All in milliseconds. */
export interface ChannelTimings {
  /** Between PINGs of a try. */
  tryEveryMs: number
  /** No answer by then: a stream is opened meanwhile. */
  patienceMs: number
  /** A try is given up. */
  tryForMs: number
  /** Then the wait for the next try doubles from this … */
  retryMinMs: number
  /** … to this. The stream is dialled again after the same waits. */
  retryMaxMs: number
  /** … or to this while nothing wants to be sent. */
  restMaxMs: number
  /** A stream that no flow needs any more is kept for this long. */
  streamIdleMs: number
  /** PING when nothing was sent for this long, so that no NAT forgets the way (RFC 4787 asks for two minutes, many give 30 seconds). */
  keepAliveMs: number
  /** PING this often while there is traffic. */
  checkEveryMs: number
  /** Traffic counts for this long. */
  activeMs: number
  /** PINGs unanswered for this long: UDP does not get through any more. */
  lostMs: number
  /** Nothing heard on the stream for this long, asked every second: it is dead. */
  streamSilenceMs: number
}

export const CHANNEL_TIMINGS: Readonly<ChannelTimings> = Object.freeze({
  tryEveryMs: 100,
  patienceMs: 500,
  tryForMs: 3_000,
  retryMinMs: 1_000,
  retryMaxMs: 30_000,
  restMaxMs: 300_000,
  streamIdleMs: 30_000,
  keepAliveMs: 10_000,
  checkEveryMs: 1_000,
  activeMs: 5_000,
  lostMs: 3_000,
  streamSilenceMs: 8_000,
})
