import type { RelayChannel } from '../../control/relay-channel-types.js'
import type { Relay } from '../../relay-types.js'
import type { CliContext } from '../context.js'
import type { Notifier } from '../service/notify.js'
import type { RelayCommandOptions } from './relay-options.js'
import type { RelaySignals } from './relay-signals.js'

/** What the command works with once its relay is made. */
export interface RunningRelay {
  context: CliContext
  options: RelayCommandOptions
  served: Relay
  channel: RelayChannel
  notifier: Notifier
  signals: RelaySignals
  /** This process took over from another. */
  isHeir: boolean
}
