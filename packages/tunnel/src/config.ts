import { type Secret, secret } from '@sallyport/core'
import { type TUnsafe, Type } from '@sinclair/typebox'
import { tunnelErrors } from './errors.js'
import type { TunnelHooks } from './hooks/hooks.js'
import type { RelayPolicy } from './relays/relay-policy.js'

/** Configuration of the plugin; the host writes as much of it as it likes. */
export interface TunnelConfig {
  /** The relay inside the panel's process; `false` for none. */
  readonly relay?: false | EmbeddedRelayConfig
  readonly portRange: PortRange
  readonly enrolment: EnrolmentConfig
  readonly gateway: GatewayConfig
  readonly relays: RelaysConfig
  readonly traffic: TrafficConfig
  readonly live: LiveConfig
  /** Where the host has its say. */
  readonly hooks?: TunnelHooks
  /** Chooses relays for new allocations. Default: the organisation's own, then the wanted region, then the least load. */
  readonly chooseRelay?: RelayPolicy
  /** Where events are sent. */
  readonly webhooks: readonly WebhookEndpoint[]
  /** How often dead enrolments are removed. Default 60,000. */
  readonly sweepIntervalMs: number
}

export interface RelaysConfig {
  /** A relay that is gone for longer loses its allocations to another of its host group. Default 30,000. */
  readonly graceMs: number
  /** How long a port that was given back is kept for its device. Default 3,600. */
  readonly heldPortSeconds: number
}

export interface TrafficConfig {
  /** How often totals are stored. Default 5,000. */
  readonly flushIntervalMs: number
  /** How long the series of minutes is kept. Default 24. */
  readonly minutesKeptHours: number
  /** How long the series of hours is kept. Default 90. */
  readonly hoursKeptDays: number
}

/** Of `GET /api/tunnel/events`. */
export interface LiveConfig {
  /** Streams on this instance. Default 2,000. */
  readonly maxStreams: number
  /** Of one user or key on this instance. Default 12. */
  readonly maxStreamsPerPrincipal: number
  /** Default 15,000. */
  readonly heartbeatMs: number
  /** How often credentials are looked at again. Default 3,000. */
  readonly checkMs: number
  /** Whoever takes nothing for this long is cut. Default 60,000. */
  readonly stalledMs: number
  /** Longest life of a stream; its client comes back. Default 3,600,000. */
  readonly lifeMs: number
}

export interface WebhookEndpoint {
  /** http or https. */
  readonly url: string
  /** Signs each delivery: HMAC-SHA-256, at least 24 characters. */
  readonly secret: Secret
  /** Names of events, such as `device.approved`, or `connection.*`. Default: all but `connection.*`. */
  readonly events?: readonly string[]
}

export interface EmbeddedRelayConfig {
  /**
   * Names the relay in allocations and tickets; keep it, allocations are bound to it. Default: `embedded`; with a database
   * server, which several panels may share, one that is made of the machine's name and the relay's address.
   */
  readonly id?: string
  /** IP address that public ports and the data port bind. Default `127.0.0.1`. */
  readonly bindHost?: string
  /** Host name that players and agents are given. Default `localhost`. */
  readonly publicHost?: string
  /** Port that agents dial; 0 picks a free one. Default 7350. */
  readonly dataPort?: number
  /**
   * Of TCP between agents and the relay. Default `tls`, with a certificate that the relay makes itself and agents know by its
   * fingerprint. `off` is for networks that are trusted otherwise; it is logged as a warning and shown in the list of relays.
   */
  readonly encryption?: 'tls' | 'off'
  /** PEM files of a certificate that agents' machines trust for `publicHost`, and of its private key. Read at the start. */
  readonly certificate?: { readonly file: string; readonly privateKeyFile: string }
  /**
   * Where the relay keeps its keys, its own certificate and its state; unset: in memory, and agents fetch new tickets after a restart.
   */
  readonly storageFile?: string
  /** Relays of one group serve one set of public ports and stand in for each other. Default: `publicHost`. */
  readonly hostGroup?: string
  readonly region?: string
  readonly labels?: Readonly<Record<string, string>>
  /** Allocations that it takes at most. Default: no bound of its own. */
  readonly capacity?: number
}

/** Public ports, both ends included. Default 20000 to 29999. */
export interface PortRange {
  readonly from: number
  readonly to: number
}

export interface EnrolmentConfig {
  /** How long a device waits for approval, and then for its token. Default 600. */
  readonly lifetimeSeconds: number
  /** Shortest time between two polls of one device. Default 5. */
  readonly intervalSeconds: number
  /** Enrolments that one address may start without signing in. Default 20. */
  readonly startsPerMinute: number
  /** Enrolments that one signed-in caller may start. Default 60. */
  readonly startsPerMinuteSignedIn: number
  /** Devices without approval that were started without signing in. Default 10,000. */
  readonly maxPending: number
  /** The same from one address (IPv6: one /64), or of one signed-in caller. Default 50. */
  readonly maxPendingPerCaller: number
  /** Wrong user codes that one approver may try in ten minutes. Default 30. */
  readonly maxGuesses: number
}

export interface GatewayConfig {
  /** A peer that is silent for this long is pinged, for twice this long is gone. Default 4,000. */
  readonly heartbeatMs: number
  /** Default 5,000. */
  readonly helloTimeoutMs: number
  /** Control channels on this instance, those that have not said hello included. Default 20,000. */
  readonly maxConnections: number
  /** How often this instance says that it is alive. Default 3,000. */
  readonly leaseIntervalMs: number
  /** How often tokens of connected devices are looked at again. Default 15,000. */
  readonly presenceIntervalMs: number
}

const closed = { additionalProperties: false }
const word = Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$' })
const host = Type.String({ minLength: 1, maxLength: 253, pattern: '^[A-Za-z0-9._:-]+$' })
const path = Type.String({ minLength: 1 })
const section = { ...closed, default: {} }
const port = { minimum: 1, maximum: 65_535 }
const interval = { minimum: 50, maximum: 86_400_000 }
const bound = { minimum: 1, maximum: 1_000_000 }

const relay = Type.Object(
  {
    id: Type.Optional(word),
    bindHost: Type.Optional(host),
    publicHost: Type.Optional(host),
    dataPort: Type.Optional(Type.Integer({ minimum: 0, maximum: 65_535 })),
    encryption: Type.Optional(Type.Union([Type.Literal('tls'), Type.Literal('off')])),
    certificate: Type.Optional(Type.Object({ file: path, privateKeyFile: path }, closed)),
    storageFile: Type.Optional(path),
    hostGroup: Type.Optional(word),
    region: Type.Optional(word),
    labels: Type.Optional(Type.Record(word, word, { maxProperties: 16 })),
    capacity: Type.Optional(Type.Integer(bound)),
  },
  closed,
)

/** Schema of `TunnelConfig`. */
export const tunnelConfig: TUnsafe<TunnelConfig> = Type.Unsafe<TunnelConfig>(
  Type.Object(
    {
      relay: Type.Optional(Type.Union([Type.Literal(false), relay])),
      portRange: Type.Object(
        { from: Type.Integer({ ...port, default: 20_000 }), to: Type.Integer({ ...port, default: 29_999 }) },
        section,
      ),
      enrolment: Type.Object(
        {
          lifetimeSeconds: Type.Number({ exclusiveMinimum: 0, maximum: 86_400, default: 600 }),
          intervalSeconds: Type.Number({ exclusiveMinimum: 0, maximum: 60, default: 5 }),
          startsPerMinute: Type.Integer({ ...bound, default: 20 }),
          startsPerMinuteSignedIn: Type.Integer({ ...bound, default: 60 }),
          maxPending: Type.Integer({ ...bound, default: 10_000 }),
          maxPendingPerCaller: Type.Integer({ ...bound, default: 50 }),
          maxGuesses: Type.Integer({ ...bound, default: 30 }),
        },
        section,
      ),
      gateway: Type.Object(
        {
          heartbeatMs: Type.Integer({ minimum: 50, maximum: 60_000, default: 4_000 }),
          helloTimeoutMs: Type.Integer({ minimum: 50, maximum: 60_000, default: 5_000 }),
          maxConnections: Type.Integer({ ...bound, default: 20_000 }),
          leaseIntervalMs: Type.Integer({ ...interval, default: 3_000 }),
          presenceIntervalMs: Type.Integer({ ...interval, default: 15_000 }),
        },
        section,
      ),
      relays: Type.Object(
        {
          graceMs: Type.Integer({ ...interval, default: 30_000 }),
          heldPortSeconds: Type.Integer({ minimum: 0, maximum: 2_592_000, default: 3_600 }),
        },
        section,
      ),
      traffic: Type.Object(
        {
          flushIntervalMs: Type.Integer({ ...interval, default: 5_000 }),
          minutesKeptHours: Type.Integer({ minimum: 1, maximum: 744, default: 24 }),
          hoursKeptDays: Type.Integer({ minimum: 1, maximum: 3_650, default: 90 }),
        },
        section,
      ),
      live: Type.Object(
        {
          maxStreams: Type.Integer({ ...bound, default: 2_000 }),
          maxStreamsPerPrincipal: Type.Integer({ ...bound, default: 12 }),
          heartbeatMs: Type.Integer({ ...interval, default: 15_000 }),
          checkMs: Type.Integer({ minimum: 50, maximum: 5_000, default: 3_000 }),
          stalledMs: Type.Integer({ ...interval, default: 60_000 }),
          lifeMs: Type.Integer({ ...interval, default: 3_600_000 }),
        },
        section,
      ),
      hooks: Type.Optional(Type.Unsafe<TunnelHooks>({})),
      chooseRelay: Type.Optional(Type.Unsafe<RelayPolicy>({})),
      webhooks: Type.Array(
        Type.Object(
          {
            url: Type.String({ maxLength: 2_048, pattern: '^https?://' }),
            secret: secret({ minLength: 24 }),
            events: Type.Optional(Type.Array(Type.String({ pattern: '^[a-z_]+\\.([a-z_]+|\\*)$' }), { maxItems: 64 })),
          },
          closed,
        ),
        { maxItems: 16, default: [] },
      ),
      sweepIntervalMs: Type.Integer({ ...interval, default: 60_000 }),
    },
    closed,
  ),
)

/** Looks at what the schema cannot. Throws `TUNNEL_ERR_PORT_RANGE_INVALID`. */
export function assertConfig({ portRange: { from, to } }: TunnelConfig): void {
  if (from > to) throw tunnelErrors.PORT_RANGE_INVALID({ from, to })
}
