import { Emitter } from '../emitter.js'
import { silentLogger } from '../logger.js'
import { packageVersion } from '../version.js'
import type { ControlRelay, PanelMessage, StateMessage } from './control.js'
import {
  type ControlChannel,
  type ControlChannelEvents,
  type ControlChannelOptions,
  type ControlTimings,
  DEFAULT_CONTROL_TIMINGS,
} from './control-channel-types.js'
import { createControlConnection } from './control-connection.js'
import { createStatusReporter } from './control-status.js'
import { createTicketRequests } from './control-tickets.js'

/** No state has come on this connection yet. */
const NO_REVISION = -1

/** Throws RELAY_ERR_INVALID_OPTION when `panel` is no http(s) URL. */
export function createControlChannel(options: ControlChannelOptions): ControlChannel {
  const { agent } = options
  const logger = options.logger ?? silentLogger
  const timings: ControlTimings = { ...DEFAULT_CONTROL_TIMINGS, ...options.timings }

  const events = new Emitter<ControlChannelEvents>(logger)
  const relays = new Map<string, ControlRelay>()
  let allocationIds = new Set<number>()
  let lastState: StateMessage | undefined
  /** Revisions only grow on one connection; a panel restored from a backup starts lower on the next. */
  let revision = NO_REVISION
  let unsubscribe: (() => void)[] = []

  const connection = createControlConnection({
    panel: options.panel,
    token: options.token,
    ...(options.proxy === undefined ? {} : { proxy: options.proxy }),
    version: options.version ?? packageVersion(),
    logger,
    timings,
    onWelcome({ deviceId, name }) {
      events.emit('connected', { deviceId, name })
    },
    onMessage: receive,
    onOver() {
      revision = NO_REVISION
    },
    onHalt() {
      for (const off of unsubscribe) off()
      unsubscribe = []
      status.stop()
      tickets.clear()
    },
    tell: {
      disconnected: (payload) => events.emit('disconnected', payload),
      refused: (payload) => events.emit('refused', payload),
      replaced: (payload) => events.emit('replaced', payload),
      waiting: (payload) => events.emit('waiting', payload),
    },
  })
  const status = createStatusReporter({
    agent,
    delayMs: timings.statusDelayMs,
    intervalMs: timings.statusIntervalMs,
    knows: (relayId) => relays.has(relayId),
    serves: (allocationId) => allocationIds.has(allocationId),
    // Before the first state of a connection there is nothing to stand to.
    send: (message) => revision !== NO_REVISION && connection.send({ ...message, revision }),
  })
  // The first state of a connection brings tickets by itself.
  const tickets = createTicketRequests(
    (relayId) => revision !== NO_REVISION && connection.send({ type: 'ticket', relayId }),
  )

  function receive(message: PanelMessage): void {
    if (message.type === 'state') applyState(message)
    else if (message.type === 'ticket') applyTicket(message.relayId, message.ticket)
  }

  function applyState(state: StateMessage): void {
    if (state.revision < revision) {
      logger.debug({ revision: state.revision, current: revision }, 'an older state is ignored')
      return
    }
    revision = state.revision
    lastState = state
    allocationIds = new Set(state.allocations.map(({ id }) => id))
    agent.retainTraffic?.(allocationIds)
    const wanted = new Map(state.relays.map((relay) => [relay.id, relay]))
    for (const relayId of [...relays.keys()]) {
      if (wanted.has(relayId)) continue
      relays.delete(relayId)
      tickets.forget(relayId)
      guard(() => agent.disconnect(relayId))
    }
    for (const relay of wanted.values()) feed(relay)
    status.changed()
    events.emit('state', state)
  }

  function applyTicket(relayId: string, ticket: string): void {
    const relay = relays.get(relayId)
    if (relay) feed({ ...relay, ticket })
  }

  function feed(relay: ControlRelay): void {
    relays.set(relay.id, relay)
    tickets.answered(relay.id)
    guard(() => agent.connect({ ...relay }))
  }

  /** What the panel says must not throw out of a socket's handler. */
  function guard(action: () => void): void {
    try {
      action()
    } catch (error) {
      logger.error({ err: error }, 'the agent did not take a relay')
    }
  }

  return {
    start() {
      if (!connection.start()) return
      unsubscribe = [
        agent.on('link', ({ relayId, connected }) => {
          if (connected) tickets.linked(relayId)
          status.changed()
        }),
        agent.on('rejected', () => status.changed()),
        agent.on('recovered', () => status.changed()),
        agent.on('ticketNeeded', ({ relayId }) => {
          if (relays.has(relayId)) tickets.need(relayId)
        }),
      ]
      status.start()
    },
    stop: () => connection.stop(),
    get connected() {
      return connection.connected
    },
    probe: connection.probe,
    state: () => lastState,
    on: (event, handler) => events.on(event, handler),
  }
}
