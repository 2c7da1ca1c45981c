import type { Principal } from '@sallyport/core'
import type { CloseReason } from '@sallyport/relay'
import type { DeviceKind } from '../devices/device.js'

/** A hook's answer. `reason` is told to whoever asked; never a secret. */
export type Verdict = { readonly allow: true } | { readonly allow: false; readonly reason?: string }

/** Something that a host is asked before it happens. */
export interface Hook<Attempt> {
  /** Rejecting, or not answering within `timeoutMs`, counts as `otherwise`; then `signal` is aborted. */
  decide(attempt: Attempt, signal: AbortSignal): Verdict | Promise<Verdict>
  /** Default 5,000; for a connection 1,000. */
  readonly timeoutMs?: number
  /** Default `deny`; for a connection `allow`. */
  readonly otherwise?: 'allow' | 'deny'
}

/** A device that wants to be enrolled: when it starts, and again when an approver lets it in. */
export interface EnrolmentAttempt {
  readonly stage: 'start' | 'approve'
  readonly name: string
  readonly kind: DeviceKind
  /** Who gets it; null: not known yet. */
  readonly ownerId: string | null
  readonly organisationId: string | null
  /** Who asks; undefined: nobody is signed in. */
  readonly principal: Principal | undefined
  readonly ip: string
}

export interface AllocationAttempt {
  readonly deviceId: string
  readonly ownerId: string | null
  readonly organisationId: string | null
  readonly protocol: 'tcp' | 'udp' | 'both'
  readonly localHost: string
  readonly localPort: number
  /** Wanted public port, if any. */
  readonly port: number | undefined
  readonly principal: Principal
}

export interface ConnectionAttempt {
  readonly relayId: string
  readonly allocationId: number
  readonly deviceId: string
  /** Whose device it is, as the relay was last told. */
  readonly ownerId: string | null
  readonly organisationId: string | null
  readonly protocol: 'tcp' | 'udp'
  /** Public port. */
  readonly port: number
  readonly remoteAddress: string
  readonly remotePort: number
}

/** A connection (UDP: a flow) that is over, or that never came to be (`durationMs` 0). */
export interface ConnectionEnd extends ConnectionAttempt {
  /** From the player, payload. */
  readonly bytesIn: number
  /** To the player. */
  readonly bytesOut: number
  readonly durationMs: number
  readonly reason: CloseReason
}

/** Where a host has its say. Each may be left out. */
export interface TunnelHooks {
  readonly beforeEnrolment?: Hook<EnrolmentAttempt>
  readonly beforeAllocation?: Hook<AllocationAttempt>
  /** Asked for each player, by stand-alone relays over their control channel; while the panel is away `otherwise` holds. */
  readonly beforeConnection?: Hook<ConnectionAttempt>
  /** Told after the end, of many at once under load. Not awaited; what fails is logged. */
  readonly afterConnection?: (ends: readonly ConnectionEnd[]) => void | Promise<void>
}
