import type { Registry } from 'prom-client'
import { defineService, type ServiceToken } from '../kernel/service.js'

/** The kernel's own Prometheus registry (`GET /metrics`). Plugins add their collectors to it, names `sallyport_…`. */
export interface Metrics {
  readonly registry: Registry
}

export const Metrics: ServiceToken<Metrics> = defineService<Metrics>('core.metrics')
