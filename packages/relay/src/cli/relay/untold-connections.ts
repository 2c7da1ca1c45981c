import type { ChildProcess } from 'node:child_process'
import type { EndedConnection } from '../../control/control-relay-messages.js'
import type { RelayChannel } from '../../control/relay-channel-types.js'
import { isConnectionEvent } from '../../handover/handed-fields.js'
import type { Relay } from '../../relay-types.js'

/** Beside the messages of the handover itself. */
const MARK = 'sallyport-relay-untold'

interface Message {
  mark: typeof MARK
  connections: readonly EndedConnection[]
}

/** What the panel, which is away, was not told of goes to the process that took over. */
export function passUntold(channel: Pick<RelayChannel, 'untold'>, child: ChildProcess): void {
  const connections = channel.untold()
  const message: Message = { mark: MARK, connections }
  if (connections.length > 0 && child.connected) child.send(message, () => {})
}

/** In the process that took over: what comes from the one before, and what ends there before this one's channel is started. */
export function adoptUntold(
  relay: Pick<Relay, 'on'>,
  channel: Pick<RelayChannel, 'adopt'>,
): { channelStarted(): void } {
  process.on('message', (message: Partial<Message> | null) => {
    if (message?.mark !== MARK || !Array.isArray(message.connections)) return
    channel.adopt(message.connections.filter((one) => isConnectionEvent({ ...one, phase: 'close' })))
  })
  const off = relay.on('connection', ({ phase, reason, ...connection }) => {
    if (phase !== 'open' && reason !== undefined) channel.adopt([{ ...connection, reason }])
  })
  return { channelStarted: off }
}
