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
  const line = { requestId, err: describeError(catalogued.error === 'internal_error' ? error : catalogued) }
  if (catalogued.status === 503) engine.logger.warn(line, 'a part is not available')
  else if (catalogued.status >= 500) engine.logger.error(line, 'request failed')
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
