import type { Disposer } from '../kernel/scope.js'
import { defineService, type ServiceToken } from '../kernel/service.js'

/** Resolves when the part works, rejects with why not. Given at most a second. */
export type HealthCheck = (signal: AbortSignal) => void | Promise<void>

export interface HealthReport {
  readonly ready: boolean
  /** Every part by name: `ok`, or what is wrong, in words fit for strangers. */
  readonly checks: Readonly<Record<string, string>>
}

/** Whether this instance can serve: `GET /api/health/ready`. */
export interface Health {
  register(name: string, check: HealthCheck): Disposer
  report(): Promise<HealthReport>
}

export const Health: ServiceToken<Health> = defineService<Health>('core.health')
