import { Type } from '@sinclair/typebox'
import type { Health } from './health.js'
import type { Http } from './http.js'

/** `Retry-After` of an instance that is not ready, in seconds. */
const retryAfterSeconds = 5

/** Adds `GET /api/health/live` and `GET /api/health/ready`. */
export function addHealthRoutes(http: Http, health: Health, draining: () => boolean): void {
  const report = Type.Object({ status: Type.String(), checks: Type.Record(Type.String(), Type.String()) })

  http.route({
    method: 'GET',
    url: '/api/health/live',
    access: 'public',
    tag: 'Health',
    summary: 'Whether the process answers',
    response: { 200: Type.Object({ status: Type.Literal('ok') }) },
    handler: () => ({ status: 'ok' }),
  })
  http.route({
    method: 'GET',
    url: '/api/health/ready',
    access: 'public',
    tag: 'Health',
    summary: 'Whether this instance can serve, and what is missing',
    response: { 200: report, 503: report },
    handler: async ({ reply }) => {
      const { ready, checks } = await health.report()
      const status = draining() ? 'draining' : ready ? 'ready' : 'unavailable'
      if (status !== 'ready') reply.code(503).header('retry-after', String(retryAfterSeconds))
      return { status, checks }
    },
  })
}
