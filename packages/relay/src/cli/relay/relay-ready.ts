import { packageVersion } from '../../version.js'
import { showAddress } from '../tunnels/target.js'
import { summarize } from './relay-words.js'
import type { RunningRelay } from './running-relay.js'

const STATUS_INTERVAL_MS = 5_000

/** The relay has its ports. */
export function sayReady({ context, options, served, isHeir, notifier, signals }: RunningRelay): void {
  const { id: relayId, publicHost, dataPort, fingerprint, encryption } = served
  const fields = { relayId, bindHost: options.bindHost, publicHost, dataPort, encryption, fingerprint }
  const agents = showAddress(publicHost, dataPort)
  if (isHeir) {
    const version = packageVersion()
    const message = `version ${version} serves now, as process ${process.pid}: agents dial ${agents}`
    context.output.event('took_over', message, { ...fields, version, pid: process.pid })
    // Nobody else would hear of its end, and who starts another one in its place would find the ports taken.
    const orphaned = () => signals.stop('SIGTERM')
    if (!notifier.active) process.on('disconnect', orphaned)
    if (!notifier.active && !process.connected) orphaned()
  } else {
    const message = `relay ready: agents dial ${agents}, bound to ${options.bindHost}`
    context.output.event('relay_ready', message, fields)
    if (fingerprint !== undefined) context.output.event('fingerprint', `certificate ${fingerprint}`, { fingerprint })
  }
}

/** Readiness, a line on how it stands, and signs of life while it serves. Gives what ends it. */
export function tellSystemd(
  { served, channel, notifier, isHeir }: RunningRelay,
  isUpgrading: () => boolean,
): () => void {
  if (!notifier.active) return () => {}
  if (isHeir) notifier.mainPid(process.pid)
  const summary = () => summarize(served, channel.connected)
  notifier.ready(summary())
  // Of an upgrade under way it is the new process that has the ports at some moment.
  const endWatchdog = notifier.watchdog(() => isUpgrading() || served.status().running)
  const timer = setInterval(() => notifier.status(summary()), STATUS_INTERVAL_MS).unref()
  return () => {
    endWatchdog()
    clearInterval(timer)
  }
}
