import type { Http } from './http.js'
import type { Metrics } from './metrics.js'

/** Adds `GET /metrics` in Prometheus' text format. */
export function addMetricsRoute(http: Http, { registry }: Metrics): void {
  http.route({
    method: 'GET',
    url: '/metrics',
    access: 'public',
    tag: 'Health',
    summary: 'Prometheus metrics',
    produces: 'text/plain',
    handler: async ({ reply }) => {
      reply.type(registry.contentType)
      return registry.metrics()
    },
  })
}
