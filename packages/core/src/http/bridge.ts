import type { FastifyInstance, FastifyPluginAsync } from 'fastify'
import { coreErrors } from '../errors.js'
import { clientAddress, hostAddress } from './client-address.js'
import type { HttpEngine } from './engine.js'
import { answerWithProblem } from './error-answer.js'
import { acceptJson } from './json-body.js'
import { requestIdOf } from './request-id.js'
import { normalizePath, withoutPrefix } from './request-path.js'
import { registerRoute } from './route-registration.js'
import { securityHeaders } from './security-headers.js'
import { answerUnmatched, limitCatchAll } from './unmatched.js'

interface BridgeOptions {
  /** Whether the app is our own: then everything that no route matches is ours to answer. */
  readonly own: boolean
  /** Path below which the routes are, in addition to the app's prefix. */
  readonly basePath?: string
}

/**
 * The routes as an encapsulated Fastify plugin, for our own app and for a host's. Nothing is decorated, and parsers,
 * hooks, error and 404 handling stay inside: the host's are neither changed nor in the way.
 */
export function createBridge(engine: HttpEngine, { own, basePath = '' }: BridgeOptions): FastifyPluginAsync {
  return async (app) => {
    const prefix = app.prefix + basePath
    acceptJson(app)
    app.setErrorHandler((error, request, reply) => answerWithProblem(engine, error, request, reply))
    beginRequests(app, engine, prefix, own)
    endRequests(app, engine)
    const addRoutes: FastifyPluginAsync = async (child) => {
      for (const route of engine.table.routes) registerRoute(child, engine, route)
      for (const plugin of engine.plugins) {
        await child.register(async (pages) => {
          limitCatchAll(pages, engine, prefix)
          pages.addHook('onRoute', ({ url, method }) => {
            engine.table.addPage(withoutPrefix(url, prefix) ?? url, [method].flat())
          })
          await pages.register(plugin)
        })
      }
    }
    await app.register(addRoutes, basePath === '' ? {} : { prefix: basePath })
    await registerUnmatched(app, engine, prefix, own || app.prefix !== '')
  }
}

function beginRequests(app: FastifyInstance, engine: HttpEngine, prefix: string, own: boolean): void {
  app.addHook('onRequest', async (request, reply) => {
    const { raw } = request
    if (engine.upgrades.isClaimed(raw)) {
      // Another listener of the host's has sent a WebSocket's handshake here too; its path's owner answers it.
      reply.hijack()
      return
    }
    const state = engine.states.open(raw, {
      requestId: requestIdOf(raw, engine.trusted),
      ip: own ? clientAddress(raw, engine.trusted) : hostAddress(request.ip, raw),
    })
    engine.inFlight.track(reply.raw)
    reply.header('x-request-id', state.requestId)
    for (const [name, value] of Object.entries(securityHeaders)) {
      if (!reply.hasHeader(name)) reply.header(name, value)
    }
    if (engine.closed) throw coreErrors.UNAVAILABLE({ reason: 'The panel is stopped' })
    if (own && raw.httpVersion === '1.1' && raw.headers.host === undefined) {
      throw coreErrors.BAD_REQUEST({ reason: 'The Host header is missing' })
    }
    const asked = normalizePath(raw.url ?? '/')
    const pattern = request.routeOptions.url
    const paths = pattern === undefined ? [asked] : [asked, normalizePath(pattern)]
    const relative = paths.map((path) => withoutPrefix(path, prefix) ?? path)
    state.paths = relative
    await engine.guards.run(relative, raw)
  })
  app.addHook('onSend', async (request, reply) => {
    // HTTP/2, which a host may speak, has no such header.
    if (engine.inFlight.draining && request.raw.httpVersionMajor === 1) reply.header('connection', 'close')
  })
}

function endRequests(app: FastifyInstance, engine: HttpEngine): void {
  // A host that closes waits for every answer, and these have no end of their own.
  app.addHook('preClose', async () => engine.streams.endAll())
  app.addHook('onResponse', async (request, reply) => {
    const state = engine.states.find(request.raw)
    if (!state || state.observed) return
    engine.observation.answered(state, {
      method: request.method,
      target: request.raw.url ?? '/',
      route: request.routeOptions.url,
      status: reply.statusCode,
    })
  })
}

/** In a host's app only the paths below our own first segments are ours to refuse; the host's routes there win. */
async function registerUnmatched(
  app: FastifyInstance,
  engine: HttpEngine,
  prefix: string,
  everything: boolean,
): Promise<void> {
  if (everything) {
    await app.register(async (child) => answerUnmatched(child, engine, prefix))
    return
  }
  for (const namespace of new Set([...engine.table.namespaces, ...engine.guards.prefixes, ...engine.upgrades.paths])) {
    if (namespace === '/') continue
    await app.register(async (child) => answerUnmatched(child, engine, prefix), {
      prefix: namespace,
      logLevel: 'silent',
    })
  }
}
