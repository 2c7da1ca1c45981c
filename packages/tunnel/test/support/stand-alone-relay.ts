import { createRelay, createRelayChannel, type Relay, type RelayChannel, type RelayHello } from '@sallyport/relay'
import { admin, type Enrolled, type Panel } from './panel.js'
import { until } from './until.js'
import type { TestUser } from './users.js'

export interface StandAloneRelay {
  readonly id: string
  readonly relay: Relay
  readonly channel: RelayChannel
  /** Of its device. */
  readonly token: string
  stop(): Promise<void>
}

type Said = Pick<RelayHello, 'hostGroup' | 'region' | 'labels' | 'capacity' | 'portRange'>

export interface StandAloneRelayOptions extends Said {
  /** Whose device it is; default: a new one, everybody's. */
  readonly device?: Pick<Enrolled, 'id' | 'token'>
  readonly organisationId?: string
  readonly publicHost?: string
  readonly encryption?: 'tls' | 'off'
  /** Who enrols it; default: `admin`. */
  readonly as?: TestUser
}

/** A relay of its own with its channel to `panel`; resolves when the panel lists it as online. */
export async function startStandAloneRelay(
  panel: Panel,
  {
    device,
    organisationId,
    publicHost = '127.0.0.1',
    encryption = 'tls',
    as = admin,
    ...hello
  }: StandAloneRelayOptions = {},
): Promise<StandAloneRelay> {
  const start = { kind: 'server', name: 'relay', ...(organisationId ? { organisationId } : {}) }
  const { id, token } = device ?? (await panel.enrol(as, start))
  const relay = createRelay({ id, dataPort: 0, publicHost, encryption })
  await relay.start()
  const channel = createRelayChannel({ panel: panel.url, token: () => token, relay, hello })
  channel.start()
  // One that was here before may be listed still.
  await until('the relay is listed', async () => channel.connected && (await relayOf(panel, id))?.online)
  return {
    id,
    relay,
    channel,
    token,
    async stop() {
      await channel.stop()
      await relay.stop()
    },
  }
}

// biome-ignore lint/suspicious/noExplicitAny: answers are looked at field by field
export async function relayOf(panel: Panel, id: string): Promise<any> {
  const { body } = await panel.call('GET', '/api/tunnel/relays', { as: admin })
  return body.relays.find((relay: { id: string }) => relay.id === id)
}
