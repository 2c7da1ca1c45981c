import type { ControlConnectionEvents } from '../../control/control-connection-types.js'
import type { Output } from '../terminal/output.js'

type Events = Omit<ControlConnectionEvents, 'refused'>

/** What the channels of agents and of relays have in common. */
export interface ReportedChannel {
  on(event: 'connected', handler: (payload: { deviceId: string; name: string }) => void): () => void
  on(event: 'disconnected', handler: (payload: Events['disconnected']) => void): () => void
  on(event: 'waiting', handler: (payload: Events['waiting']) => void): () => void
  on(event: 'replaced', handler: (payload: Events['replaced']) => void): () => void
  on(event: 'refused', handler: (payload: { reason: string; detail: string }) => void): () => void
}

export interface ConnectionReportOptions {
  channel: ReportedChannel
  output: Output
  /** The panel's URL as people know it. */
  panel: string
  /** Who keeps the connection. */
  who: 'agent' | 'relay'
}

/** Puts the ups and downs of the connection to the panel into lines; repeated tries only once. */
export function reportConnection({ channel, output, panel, who }: ConnectionReportOptions): void {
  let lastTrouble = ''

  /** The first of a row of equal troubles is said, the others only with `--verbose`. */
  function trouble(key: string, event: string, message: string, fields: Record<string, unknown>): void {
    if (key === lastTrouble) output.debug(message, fields)
    else output.event(event, message, fields)
    lastTrouble = key
  }

  channel.on('connected', ({ deviceId, name }) => {
    lastTrouble = ''
    output.event('connected', `connected to ${panel} as ${name}`, { deviceId, name })
  })
  channel.on('disconnected', ({ reason, detail, wasConnected, declined, retryInMs }) => {
    // The command ends with words of its own.
    if (reason === 'wrong_kind') return
    const message = wasConnected
      ? `the connection to ${panel} is lost (${detail}); reconnecting`
      : declined
        ? `${panel} refuses this ${who} (${detail}); trying on`
        : `${panel} cannot be reached (${detail}); trying on`
    if (wasConnected) lastTrouble = ''
    trouble(`${wasConnected}:${reason}`, 'disconnected', message, { reason, detail, retryInMs })
  })
  channel.on('waiting', ({ reason, retryInMs }) => {
    trouble('waiting', 'waiting', `tunnels are switched off at ${panel}; waiting`, { reason, retryInMs })
  })
  channel.on('replaced', ({ retryInMs }) => {
    lastTrouble = ''
    const seconds = Math.round(retryInMs / 1_000)
    const message = `another ${who} runs with this device's token and took over; staying away for ${seconds} s`
    output.event('replaced', message, { retryInMs })
  })
  channel.on('refused', ({ reason, detail }) => output.event('refused', detail, { reason }))
}
