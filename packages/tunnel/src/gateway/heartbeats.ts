import type { Disposer } from '@sallyport/core'
import { MISSED_HEARTBEATS } from '@sallyport/relay'
import type { ControlSession } from './control-session.js'

interface HeartbeatOptions {
  readonly sessions: Iterable<ControlSession>
  readonly heartbeatMs: number
  readonly helloTimeoutMs: number
}

/** How many looks there are in the shortest time that counts, and how long they are apart at most. */
const looksPerInterval = 4
const maxLookMs = 1_000

/**
 * Looks at all sessions again and again, with one timer for all: pings who has been silent for a heartbeat, ends who has been for two,
 * has not said hello in time, or does not read.
 */
export function watchHeartbeats({ sessions, heartbeatMs, helloTimeoutMs }: HeartbeatOptions): Disposer {
  const lookMs = Math.min(Math.ceil(Math.min(heartbeatMs, helloTimeoutMs) / looksPerInterval), maxLookMs)
  const deadAfterMs = heartbeatMs * MISSED_HEARTBEATS
  let lastLook = performance.now()
  /** After a standstill of this process everybody is asked anew before anybody is given up. */
  let patientUntil = 0
  let reading: NodeJS.Immediate | undefined

  const endLate = (late: readonly ControlSession[], now: number): void => {
    for (const session of late) {
      if (session.isWaiting) session.refuse('hello_timeout', 'no hello came in time')
      else if (now - session.heardAt >= deadAfterMs) session.breakOff()
    }
  }

  const look = (): void => {
    const now = performance.now()
    if (now - lastLook > heartbeatMs + lookMs) patientUntil = now + heartbeatMs
    lastLook = now
    const late: ControlSession[] = []
    for (const session of sessions) {
      if (session.hasEnded) continue
      const silentMs = now - session.heardAt
      if (session.isClogged) session.breakOff()
      else if (session.isWaiting) {
        if (now - session.openedAt >= helloTimeoutMs) late.push(session)
      } else if (silentMs >= deadAfterMs && now >= patientUntil) late.push(session)
      else if (silentMs >= heartbeatMs) session.ping()
    }
    if (late.length === 0) return
    // What has come meanwhile is read first.
    reading = setImmediate(() => endLate(late, now))
  }

  const timer = setInterval(look, lookMs)
  return () => {
    clearInterval(timer)
    clearImmediate(reading)
  }
}
