import type { Test } from 'tap'
import { parseRelayMessage } from '../../dist/control/control-parser.js'
import { createRelayChannel } from '../../dist/control/relay-channel.js'
import type { RelayChannel, RelayChannelEvents, RelayChannelOptions } from '../../dist/control/relay-channel-types.js'
import { createRelay, type Relay, type RelayAllocation, type RelayOptions } from '../../dist/index.js'
import { createFakePanel, type FakeConnection, type FakePanel } from '../fake-panel.js'
import { type ChannelEvents, QUICK, watchEvents } from './channel-events.js'

export const RELAY_ID = 'device-1'
export const TIMINGS = { ...QUICK, replacedRetryMs: 100, reportIntervalMs: 20 }

export interface Scene extends Pick<ChannelEvents<RelayChannelEvents>, 'next'> {
  panel: FakePanel
  relay: Relay
  channel: RelayChannel
}

/** A relay, and its channel to a panel. */
export async function scene(
  t: Test,
  options: Partial<RelayChannelOptions> = {},
  relayOptions: RelayOptions = {},
): Promise<Scene> {
  const panel = await createFakePanel()
  const relay = createRelay({ id: RELAY_ID, dataPort: 0, ...relayOptions })
  await relay.start()
  const channel = createRelayChannel({
    panel: panel.url,
    token: () => 'token-of-the-relay',
    relay,
    version: '9.9.9',
    timings: TIMINGS,
    ...options,
  })
  const { next } = watchEvents<RelayChannelEvents>(channel, [
    'connected',
    'disconnected',
    'applied',
    'refused',
    'replaced',
    'waiting',
  ])
  t.teardown(async () => {
    await channel.stop()
    await relay.stop()
    await panel.close()
  })
  channel.start()
  return { panel, relay, channel, next }
}

export async function welcome(connection: FakeConnection, more: object = {}): Promise<Record<string, unknown>> {
  const hello = await connection.next('hello')
  const greeting = { type: 'welcome', protocol: 1, deviceId: RELAY_ID, name: 'box', heartbeatMs: 5_000 }
  connection.send({ ...greeting, ...more })
  return hello
}

export function state(revision: number, allocations: RelayAllocation[], part = 0, parts = 1): object {
  return { type: 'relay_state', revision, part, parts, allocations }
}

export function change(
  base: number,
  revision: number,
  upsert: RelayAllocation[],
  remove: number[] = [],
  part = 0,
  parts = 1,
): object {
  return { type: 'relay_change', base, revision, part, parts, upsert, remove }
}

/** The next message of the type, which the panel's parser must take. */
export async function report(connection: FakeConnection, type: string): Promise<Record<string, unknown>> {
  const message = await connection.next(type)
  const parsed = parseRelayMessage(JSON.stringify(message))
  if (!parsed.ok) throw new Error(`the panel would refuse ${type}: ${parsed.field}`)
  return message
}
