import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { coreErrors } from '../errors.js'
import type { HttpEngine } from './engine.js'
import { normalizePath, withoutPrefix } from './request-path.js'

/** Answers what no route matches: 404, 405 with `Allow`, 426 for a plain request to a WebSocket's path, or OPTIONS. */
export function answerUnmatched(app: FastifyInstance, engine: HttpEngine, prefix: string): void {
  // In a hook, so that the body of a request that leads nowhere is not read.
  app.addHook('onRequest', async (request, reply) => refuse(engine, pathOf(request, prefix), request, reply))
  app.setNotFoundHandler(() => {
    throw coreErrors.NOT_FOUND()
  })
}

/** Keeps a page's route for everything (`/*`) from answering for the API: `/api/nope` is no page. */
export function limitCatchAll(app: FastifyInstance, engine: HttpEngine, prefix: string): void {
  const catchAll = `${prefix}/*`
  app.addHook('onRequest', async (request, reply) => {
    if (request.routeOptions.url !== catchAll) return undefined
    const path = pathOf(request, prefix)
    const isOurs = path !== undefined && engine.table.roots.includes(path.split('/')[1] ?? '')
    return isOurs ? refuse(engine, path, request, reply) : undefined
  })
}

function refuse(
  { table, upgrades }: HttpEngine,
  path: string | undefined,
  { raw }: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  if (path === undefined) throw coreErrors.NOT_FOUND()
  if (upgrades.find(path)) throw coreErrors.UPGRADE_REQUIRED(undefined, { headers: { upgrade: 'websocket' } })
  const methods = table.methodsOf(path)
  // With a known method it is the path that is wrong: `//api/users` and `/api/users/` mean a route, and are none.
  if (methods.length === 0 || methods.includes(raw.method ?? '')) throw coreErrors.NOT_FOUND()
  const allow = [...new Set([...methods, 'OPTIONS'])].join(', ')
  if (raw.method === 'OPTIONS') return reply.header('allow', allow).code(204).send()
  throw coreErrors.METHOD_NOT_ALLOWED({ method: raw.method ?? '' }, { headers: { allow } })
}

function pathOf({ raw }: FastifyRequest, prefix: string): string | undefined {
  return withoutPrefix(normalizePath(raw.url ?? '/'), prefix)
}
