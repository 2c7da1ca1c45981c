import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { coreErrors } from '../errors.js'
import type { HttpEngine } from './engine.js'
import { normalizePath, withoutPrefix } from './request-path.js'

/** Answers what no route matches: 404, 405 with `Allow`, 426 for a plain request to a WebSocket's path, or OPTIONS. */
export function answerUnmatched(app: FastifyInstance, engine: HttpEngine, prefix: string): void {
  const refuse = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> => {
    const { method } = request.raw
    const path = withoutPrefix(normalizePath(request.raw.url ?? '/'), prefix)
    if (path === undefined) throw coreErrors.NOT_FOUND()
    if (engine.upgrades.find(path)) {
      throw coreErrors.UPGRADE_REQUIRED(undefined, { headers: { upgrade: 'websocket', connection: 'upgrade' } })
    }
    const methods = engine.table.methodsOf(path)
    if (methods.length === 0) throw coreErrors.NOT_FOUND()
    const allow = [...methods, 'OPTIONS'].join(', ')
    if (method === 'OPTIONS') return reply.header('allow', allow).code(204).send()
    throw coreErrors.METHOD_NOT_ALLOWED({ method: method ?? '' }, { headers: { allow } })
  }
  // In a hook, so that the body of a request that leads nowhere is not read.
  app.addHook('onRequest', refuse)
  app.setNotFoundHandler(() => {
    throw coreErrors.NOT_FOUND()
  })
}
