import { churn } from './churn.mjs'
import { connect } from './connect.mjs'
import { firstByte } from './first-byte.mjs'
import { memory } from './memory.mjs'
import { roundTrip } from './round-trip.mjs'
import { spoofed } from './spoofed.mjs'
import { streamDown, streamUp } from './streams.mjs'
import { udpEcho } from './udp-echo.mjs'
import { udpLoss } from './udp-loss.mjs'
import { udpOneWay } from './udp-one-way.mjs'

/**
 * `run({ stage, quick, module, skip, connections, sources })` gives rows of `{ title, unit, better, values, goals, notes }`: values by
 * name of system, goals as `{ text, figure, met }`. It is stopped after `limitSeconds` (default 120).
 */
export const measures = {
  'stream-up': streamUp,
  'stream-down': streamDown,
  'round-trip': roundTrip,
  connect,
  'udp-echo': udpEcho,
  'udp-one-way': udpOneWay,
  'udp-loss': udpLoss,
  'first-byte': firstByte,
  memory,
  churn,
  spoofed,
}
