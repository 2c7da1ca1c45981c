import type { RelayChannel } from '../../control/relay-channel-types.js'
import type { Relay } from '../../relay-types.js'
import { reportConnection } from '../panel/connection-report.js'
import type { Output } from '../terminal/output.js'
import { count } from '../terminal/table.js'
import { reportPorts } from './port-report.js'

export interface RelayReportOptions {
  relay: Pick<Relay, 'on' | 'status'>
  channel: RelayChannel
  output: Output
  /** The panel's URL as people know it. */
  panel: string
}

/** Between two lines on how many tunnels are served. */
const SERVING_GAP_MS = 3_000

/** Puts what relay and channel do into lines. What happens a thousand times a day is for `--verbose`. Gives what ends it. */
export function reportRelay({ relay, channel, output, panel }: RelayReportOptions): () => void {
  let isStored = true
  let served: number | undefined
  let revision = 0
  let soon: NodeJS.Timeout | undefined

  /** Said when it is another number, the newest of a few seconds. */
  function sayServing(): void {
    const allocations = relay.status().allocations.length
    if (allocations === served) return
    served = allocations
    output.event('serving', `serving ${count(allocations, 'tunnel')}`, { allocations, revision })
    soon = setTimeout(() => {
      soon = undefined
      sayServing()
    }, SERVING_GAP_MS).unref()
  }

  reportConnection({ channel, output, panel, who: 'relay' })
  channel.on('applied', (applied) => {
    revision = applied.revision
    output.debug('the panel has changed what is served', { revision })
    if (soon === undefined) sayServing()
    if (!applied.stored && isStored)
      output.notice('not_stored', 'the state could not be stored: a restart would begin with an older one')
    isStored = applied.stored
  })
  const endPorts = reportPorts(relay, output)
  relay.on('link', ({ deviceId, connected }) => {
    output.debug(`device ${deviceId} ${connected ? 'linked' : 'gone'}`, { deviceId, connected })
  })
  return () => {
    clearTimeout(soon)
    endPorts()
  }
}
