import { Emitter } from '../emitter.js'
import { silentLogger } from '../logger.js'
import { packageVersion } from '../version.js'
import type { PanelMessage, WelcomeMessage } from './control.js'
import { createControlConnection } from './control-connection.js'
import type { RelayHello } from './control-relay-messages.js'
import { createAdmissionQuestions } from './relay-channel-admission.js'
import { createEndedConnections } from './relay-channel-connections.js'
import { createIntake } from './relay-channel-intake.js'
import { createRelayStatus } from './relay-channel-status.js'
import { createTrafficReporter } from './relay-channel-traffic.js'
import {
  DEFAULT_RELAY_CHANNEL_TIMINGS,
  type RelayChannel,
  type RelayChannelEvents,
  type RelayChannelOptions,
  type RelayChannelTimings,
} from './relay-channel-types.js'

/** An answer to `hello` that another version of the panel would not give: worth waiting for while the relay serves. */
const UNSUPPORTED_PROTOCOL = 'protocol_unsupported'

/** Throws RELAY_ERR_INVALID_OPTION when `panel` is no http(s) URL. */
export function createRelayChannel(options: RelayChannelOptions): RelayChannel {
  const { relay } = options
  const logger = options.logger ?? silentLogger
  const timings: RelayChannelTimings = { ...DEFAULT_RELAY_CHANNEL_TIMINGS, ...options.timings }

  const events = new Emitter<RelayChannelEvents>(logger)
  let everWelcomed = false
  let draining = false
  let reports: NodeJS.Timeout | undefined
  let unsubscribe: (() => void)[] = []

  const connection = createControlConnection({
    panel: options.panel,
    token: options.token,
    ...(options.proxy === undefined ? {} : { proxy: options.proxy }),
    version: options.version ?? packageVersion(),
    logger,
    timings,
    greeting: () => ({ relay: introduce() }),
    onWelcome: welcomed,
    onMessage: receive,
    onOver() {
      clearInterval(reports)
      reports = undefined
      intake.reset()
      status.reset()
      traffic.reset()
      admission.reset()
    },
    onHalt() {
      for (const off of unsubscribe) off()
      unsubscribe = []
    },
    tell: {
      disconnected(payload) {
        if (!payload.declined || everWelcomed || payload.reason === UNSUPPORTED_PROTOCOL) {
          events.emit('disconnected', payload)
          return
        }
        void connection.stop()
        events.emit('refused', { reason: 'declined', detail: payload.detail })
      },
      refused: (payload) => events.emit('refused', payload),
      replaced: (payload) => events.emit('replaced', payload),
      waiting: (payload) => events.emit('waiting', payload),
    },
  })
  const traffic = createTrafficReporter(relay, connection.send)
  const ended = createEndedConnections(connection.send)
  const admission = createAdmissionQuestions(relay, connection.send)
  const status = createRelayStatus({
    relay,
    delayMs: timings.statusDelayMs,
    intervalMs: timings.statusIntervalMs,
    players: () => traffic.players,
    isDraining: () => draining,
    send: connection.send,
  })
  const intake = createIntake({
    relay,
    logger,
    onApplied({ revision, stored, whole }) {
      status.applied(revision, whole)
      // Totals of allocations that the panel has not named may not be its own any more.
      reports ??= setInterval(report, timings.reportIntervalMs)
      events.emit('applied', { revision, stored })
    },
    onBroken: (what) => connection.refuse(what),
  })

  function introduce(): RelayHello {
    return {
      publicHost: relay.publicHost,
      dataPort: relay.dataPort,
      ...(relay.fingerprint === undefined ? {} : { fingerprint: relay.fingerprint }),
      encryption: relay.encryption,
      ...options.hello,
      ticketKey: Buffer.from(relay.ticketKey).toString('base64url'),
      epoch: relay.epoch,
      revision: relay.revision,
      time: Date.now(),
    }
  }

  function welcomed({ deviceId, name, admission: terms }: WelcomeMessage): void {
    if (deviceId !== relay.id) {
      const detail = `the panel knows this device as ${deviceId}, but the relay is ${relay.id}: enrol it again`
      void connection.stop()
      events.emit('refused', { reason: 'relay_id_mismatch', detail })
      return
    }
    everWelcomed = true
    guard(() => admission.terms(terms))
    events.emit('connected', { deviceId, name })
  }

  function receive(message: PanelMessage): void {
    if (message.type === 'relay_state' || message.type === 'relay_change') intake.take(message)
    else if (message.type === 'admission') admission.answer(message)
    else if (message.type === 'relay_disconnect') guard(() => relay.disconnectDevice(message.deviceId))
  }

  function report(): void {
    const before = traffic.players
    admission.sweep()
    traffic.report()
    ended.report()
    if (traffic.players !== before) status.changed()
  }

  /** What the panel says must not throw out of a socket's handler. */
  function guard(action: () => void): void {
    try {
      action()
    } catch (error) {
      logger.error({ error: String(error) }, 'the relay did not do what the panel asked for')
    }
  }

  return {
    start() {
      if (!connection.start()) return
      unsubscribe = [status.listen(), relay.on('connection', ended.add)]
    },
    stop() {
      if (reports !== undefined) {
        report()
        status.now()
      }
      return connection.stop()
    },
    get connected() {
      return connection.connected
    },
    probe: connection.probe,
    untold: () => ended.take(),
    adopt: (connections) => ended.adopt(connections),
    drain() {
      draining = true
      status.changed()
    },
    on: (event, handler) => events.on(event, handler),
  }
}
