import type { RelayChannel } from '../../control/relay-channel-types.js'
import type { Relay } from '../../relay-types.js'
import type { CliContext } from '../context.js'
import type { Notifier } from '../service/notify.js'
import type { RelaySignals, StopSignal } from './relay-signals.js'
import { refusalWords } from './relay-words.js'
import { type Successor, upgrade } from './succession.js'

export type LifeEnd =
  | { kind: 'stopped' }
  | { kind: 'refused'; detail: string }
  /** `stopped`: it is to stop at once, since it was told to meanwhile. */
  | { kind: 'handed_over'; successor: Successor; stopped: StopSignal | undefined }

export interface RelayLife {
  readonly ended: Promise<LifeEnd>
  readonly isUpgrading: boolean
}

export interface RelayLifeOptions {
  context: CliContext
  relay: Relay
  channel: RelayChannel
  signals: RelaySignals
  notifier: Notifier
  /** When an upgrade is asked for. */
  onUpgrade: () => void
}

/** For an upgrade that is under way when the relay is to stop. */
const LAST_CHANCE_MS = 5_000

/** What comes from outside, until something of it ends the relay's life in this process. */
export function watchLife({ context, relay, channel, signals, notifier, onUpgrade }: RelayLifeOptions): RelayLife {
  const { output, env } = context
  let upgrading: AbortController | undefined
  let stopped: StopSignal | undefined
  let refused: string | undefined
  let resolve: (end: LifeEnd) => void = () => {}
  const ended = new Promise<LifeEnd>((settle) => {
    resolve = settle
  })

  function endUnlessUpgrading(): void {
    if (upgrading !== undefined) {
      const { signal } = upgrading
      const late = setTimeout(() => upgrading?.signal === signal && upgrading.abort(), LAST_CHANCE_MS)
      late.unref()
    } else if (stopped !== undefined) resolve({ kind: 'stopped' })
    else if (refused !== undefined) resolve({ kind: 'refused', detail: refused })
  }

  async function begin(): Promise<void> {
    upgrading = new AbortController()
    output.event('upgrading', 'upgrading: the program is started anew and takes over')
    notifier.reloading()
    onUpgrade()
    const result = await upgrade(relay, env, upgrading.signal)
    upgrading = undefined
    if (result.ok) {
      resolve({ kind: 'handed_over', successor: result.successor, stopped })
      return
    }
    output.notice('upgrade_failed', `the upgrade has failed, this process goes on: ${result.detail}`)
    notifier.ready()
    endUnlessUpgrading()
  }

  channel.on('refused', ({ reason, detail }) => {
    refused = refusalWords(reason, detail)
    endUnlessUpgrading()
  })
  signals.handle({
    stop(name) {
      stopped ??= name
      endUnlessUpgrading()
    },
    upgrade() {
      if (upgrading !== undefined) output.notice('upgrade_ignored', 'SIGHUP is ignored: an upgrade is under way')
      else if (stopped === undefined && refused === undefined) void begin()
    },
  })
  return {
    ended,
    get isUpgrading() {
      return upgrading !== undefined
    },
  }
}
