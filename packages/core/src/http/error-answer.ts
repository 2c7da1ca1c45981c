import type { FastifyReply, FastifyRequest } from 'fastify'
import { describeError } from '../kernel/error-description.js'
import type { HttpEngine } from './engine.js'
import { toCatalogued } from './error-mapping.js'
import { type ProblemAnswer, problemType, renderProblem } from './problem.js'
import { requestIdOf } from './request-id.js'
import { apiHeaders, securityHeaders } from './security-headers.js'

/** Renders what a request failed with, and logs it when it is a fault of ours. */
export function problemOf(engine: HttpEngine, error: unknown, requestId: string, bodyLimit: number): ProblemAnswer {
  const catalogued = toCatalogued(error, bodyLimit)
  const answer = renderProblem(catalogued, requestId, engine.authenticator.challenge)
  if (catalogued.status < 500) return answer
  const err = describeError(catalogued.error === 'internal_error' ? error : catalogued)
  if (catalogued.status !== 503) engine.logger.error({ requestId, err }, 'request failed')
  else if (err.cause) engine.logger.warn({ requestId, err }, 'a part is not available')
  else {
    // A refusal on purpose, such as for want of room: where it was thrown says nothing.
    const { stack, ...refusal } = err
    engine.logger.warn({ requestId, err: refusal }, 'a part is not available')
  }
  return answer
}

/** Answers a request with problem+json. */
export function answerWithProblem(
  engine: HttpEngine,
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const { raw } = request
  const requestId = engine.states.find(raw)?.requestId ?? requestIdOf(raw, engine.trusted)
  const { problem, headers } = problemOf(engine, error, requestId, request.routeOptions.bodyLimit ?? engine.bodyLimit)
  return reply
    .headers({ ...securityHeaders, ...apiHeaders, ...headers, 'x-request-id': requestId })
    .code(problem.status)
    .type(problemType)
    .send(JSON.stringify(problem))
}
