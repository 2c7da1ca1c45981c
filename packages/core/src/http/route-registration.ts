import { Readable } from 'node:stream'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { coreErrors } from '../errors.js'
import { addressKey } from '../security/address-key.js'
import { checkAccess } from './access.js'
import { authenticationRequest, type HttpEngine } from './engine.js'
import { EventStreamAnswer } from './event-stream.js'
import { answerWithEvents } from './event-stream-answer.js'
import type { RequestState } from './request-state.js'
import type { AnyRoute } from './route-table.js'
import { apiHeaders } from './security-headers.js'

/** Adds one route to an encapsulated app: rate limit, credentials, access, body, validation, handler. */
export function registerRoute(app: FastifyInstance, engine: HttpEngine, route: AnyRoute): void {
  const body = engine.validation.validator('body', route.body)
  const query = engine.validation.validator('query', route.query)
  const params = engine.validation.validator('params', route.params)
  const readsBody = route.method !== 'GET' && !(route.method === 'DELETE' && route.body === undefined)

  app.route({
    method: route.method,
    url: route.url,
    exposeHeadRoute: true,
    bodyLimit: route.bodyLimit ?? engine.bodyLimit,
    handlerTimeout: engine.handlerTimeoutMs,
    // The host's own documentation lists the host's routes; the kernel's are in /api/openapi.json.
    schema: { hide: true } as object,
    onRequest: async (request, reply) => {
      reply.headers(apiHeaders)
      const state = stateOf(engine, request)
      // The router takes `/devices/` for `/devices/:id`.
      if (Object.values(request.params as object).includes('')) throw coreErrors.NOT_FOUND()
      if (route.rateLimit) {
        const decision = await engine.rateLimits.consume(route.rateLimit, addressKey(state.ip))
        if (!decision.allowed) {
          throw coreErrors.TOO_MANY_REQUESTS(undefined, { retryAfter: decision.retryAfterSeconds })
        }
      }
      if (route.access === 'public') return
      const authentication = await engine.authenticator.authenticate(authenticationRequest(request.raw, state.ip))
      state.principal = checkAccess(route.access, authentication)
    },
    handler: async (request, reply) => {
      const state = stateOf(engine, request)
      const result = await route.handler({
        principal: state.principal as never,
        params: params(request.params) as never,
        query: query(request.query) as never,
        body: (readsBody ? body(request.body) : undefined) as never,
        ip: state.ip,
        requestId: state.requestId,
        request,
        reply,
      })
      if (result instanceof EventStreamAnswer) return answerWithEvents(engine, route, state, request, reply, result)
      return answer(reply, result)
    },
  })
}

function stateOf(engine: HttpEngine, request: FastifyRequest): RequestState {
  const state = engine.states.find(request.raw)
  if (!state) throw coreErrors.INTERNAL()
  return state
}

/** Text is made here, so that no serializer or hook of the host changes what our documents promise. */
function answer(reply: FastifyReply, result: unknown): unknown {
  if (reply.sent) return reply
  if (result === reply || result instanceof Readable || Buffer.isBuffer(result)) return result
  if (result === undefined) return reply.code(reply.statusCode === 200 ? 204 : reply.statusCode).send()
  if (reply.hasHeader('content-type') && typeof result === 'string') return reply.send(result)
  return reply.type('application/json; charset=utf-8').send(JSON.stringify(result))
}
