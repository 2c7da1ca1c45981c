import type { RelayAllocation } from '../relay-types.js'
import { sameOptions } from './allocation-options.js'

/** The same listener can serve both. */
export function samePlace(a: RelayAllocation, b: RelayAllocation): boolean {
  const samePort = a.protocol === b.protocol && a.port === b.port
  return samePort && a.deviceId === b.deviceId && (a.paused === true) === (b.paused === true)
}

export function sameTarget(a: RelayAllocation, b: RelayAllocation): boolean {
  return a.target.host === b.target.host && a.target.port === b.target.port
}

/** Players are served in the same way. */
export function sameService(a: RelayAllocation, b: RelayAllocation): boolean {
  return sameTarget(a, b) && sameOptions(a.options, b.options)
}
