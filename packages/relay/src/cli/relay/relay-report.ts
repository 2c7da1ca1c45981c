import type { RelayChannel } from '../../control/relay-channel-types.js'
import type { Relay } from '../../relay-types.js'
import { reportConnection } from '../panel/connection-report.js'
import type { Output } from '../terminal/output.js'

export interface RelayReportOptions {
  relay: Pick<Relay, 'on' | 'status'>
  channel: RelayChannel
  output: Output
  /** The panel's URL as people know it. */
  panel: string
}

/** Puts what relay and channel do into lines. What happens a thousand times a day is for `--verbose`. */
export function reportRelay({ relay, channel, output, panel }: RelayReportOptions): void {
  const failed = new Map<number, string>()
  let isFirst = true

  reportConnection({ channel, output, panel, who: 'relay' })
  channel.on('connected', () => {
    isFirst = true
  })
  channel.on('applied', ({ revision, stored }) => {
    const count = relay.status().allocations.length
    const message = `serving ${count} ${count === 1 ? 'tunnel' : 'tunnels'}`
    if (isFirst) output.event('serving', message, { allocations: count, revision })
    else output.debug(message, { revision })
    isFirst = false
    if (!stored) output.notice('not_stored', 'the state could not be stored: a restart would begin with an older one')
  })
  relay.on('allocation', ({ allocationId, status, error = '' }) => {
    if (status === 'failed') {
      if (failed.get(allocationId) === error) return
      failed.set(allocationId, error)
      const port = relay.status().allocations.find((one) => one.allocationId === allocationId)?.port
      const message = `port ${port} (allocation ${allocationId}) cannot be bound: ${error}; trying on`
      output.event('allocation_failed', message, { allocationId, error })
    } else if (status !== 'starting' && failed.delete(allocationId)) {
      const message = `allocation ${allocationId} is ${status === 'listening' ? 'bound now' : status}`
      output.event('allocation_recovered', message, { allocationId, status })
    }
  })
  relay.on('link', ({ deviceId, connected }) => {
    output.debug(`device ${deviceId} ${connected ? 'linked' : 'gone'}`, { deviceId, connected })
  })
}
