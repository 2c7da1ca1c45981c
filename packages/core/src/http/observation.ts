import { performance } from 'node:perf_hooks'
import { Histogram, type Registry } from 'prom-client'
import type { Logger } from '../kernel/logger.js'
import { pathOnly } from './request-path.js'
import type { RequestState } from './request-state.js'

/** Told of every answered request. */
export interface Observation {
  answered(state: RequestState, request: AnsweredRequest): void
}

export interface AnsweredRequest {
  readonly method: string
  readonly target: string
  /** The route's pattern; `undefined` for none. */
  readonly route: string | undefined
  readonly status: number
}

/** Methods that are labels of their own; a client may send any word. */
const methods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])
/** Asked every few seconds by machines. */
const routine: ReadonlySet<string> = new Set(['/api/health/live', '/api/health/ready', '/metrics'])

export function createObservation(registry: Registry, logger: Logger): Observation {
  const histogram = new Histogram({
    name: 'sallyport_http_request_duration_seconds',
    help: 'Time from a request to the end of its answer, by route',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.005, 0.025, 0.1, 0.25, 1, 2.5, 10],
    registers: [registry],
  })
  return {
    answered(state, { method, target, route, status }) {
      const durationMs = performance.now() - state.startedAt
      const labels = { method: methods.has(method) ? method : 'OTHER', route: route ?? 'none', status }
      histogram.observe(labels, durationMs / 1000)
      const { requestId, ip } = state
      // The path only: a query may carry what is nobody's business.
      const line = { requestId, ip, method, path: pathOnly(target), status, durationMs: Math.round(durationMs) }
      if (route !== undefined && routine.has(route)) logger.debug(line, 'request')
      else logger.info(line, 'request')
    },
  }
}
