import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify'
import { coreErrors } from '../errors.js'
import { createBridge } from './bridge.js'
import { clientAddress } from './client-address.js'
import { answerClientError } from './client-error.js'
import type { HttpEngine } from './engine.js'
import { answerWithProblem } from './error-answer.js'
import type { ListenAddress, ListenOptions } from './http.js'
import { listen } from './listen.js'
import { requestIdOf } from './request-id.js'
import { createUpgradeListener, type UpgradedSockets } from './upgrade.js'

export interface OwnAppOptions {
  readonly basePath: string
  readonly requestTimeoutMs: number
  readonly headersTimeoutMs: number
  readonly keepAliveTimeoutMs: number
  readonly maxConnections: number
}

/** Our own Fastify app and its server: for `listen`, and for hosts that have another `node:http` server. */
export interface OwnApp {
  readonly handler: (request: IncomingMessage, response: ServerResponse) => void
  readonly address: AddressInfo | undefined
  listen(options?: ListenOptions): Promise<ListenAddress>
  /** Takes no more connections and closes idle ones. */
  stopAccepting(): void
  closeIdle(): void
  close(): Promise<void>
}

const maxParamLength = 200
const stopped = 'the kernel is stopped'
/** How often Node looks for connections that have run out of time, in milliseconds. */
const connectionsCheckingInterval = 5_000

export async function createOwnApp(
  engine: HttpEngine,
  sockets: UpgradedSockets,
  options: OwnAppOptions,
): Promise<OwnApp> {
  let server: Server | undefined
  const app = fastify({
    logger: false,
    bodyLimit: engine.bodyLimit,
    routerOptions: { maxParamLength },
    // For pages' plugins; routes are given the address that the bridge found.
    trustProxy: (address) => engine.trusted(address),
    frameworkErrors: (error, request, reply) => answerFrameworkError(engine, error, request, reply),
    clientErrorHandler: (error, socket) => answerClientError(engine, error, socket, randomUUID()),
    serverFactory: (handler) => {
      server = createServer(
        {
          requestTimeout: options.requestTimeoutMs,
          headersTimeout: options.headersTimeoutMs,
          keepAliveTimeout: options.keepAliveTimeoutMs,
          connectionsCheckingInterval,
          // Checked by the bridge, which answers with problem+json.
          requireHostHeader: false,
          noDelay: true,
        },
        handler,
      )
      server.maxConnections = options.maxConnections
      return server
    },
  })
  void app.register(createBridge(engine, { own: true, basePath: options.basePath }))
  await app.ready()
  return wrap(engine, sockets, app, server as unknown as Server, options.basePath)
}

/** Answers what Fastify refuses before any hook of the bridge runs, such as a bad percent-encoding. */
function answerFrameworkError(engine: HttpEngine, error: Error, request: FastifyRequest, reply: FastifyReply): void {
  const { raw } = request
  const about = { requestId: requestIdOf(raw, engine.trusted), ip: clientAddress(raw, engine.trusted) }
  const state = engine.states.open(raw, about)
  engine.inFlight.track(reply.raw)
  void answerWithProblem(engine, error, request, reply)
  const { method = '', url = '/' } = raw
  engine.observation.answered(state, { method, target: url, route: undefined, status: reply.statusCode })
}

function wrap(
  engine: HttpEngine,
  sockets: UpgradedSockets,
  app: FastifyInstance,
  server: Server,
  prefix: string,
): OwnApp {
  const handler = (request: IncomingMessage, response: ServerResponse): void => app.routing(request, response)
  let opening: Promise<AddressInfo> | undefined
  let closed: Promise<void> | undefined
  server.on('upgrade', createUpgradeListener(engine, { sockets, prefix, plain: handler }))
  server.on('checkExpectation', (request, response) => {
    request.headers.expect = undefined
    response.shouldKeepAlive = false
    handler(request, response)
  })

  const closeServer = (): Promise<void> => {
    closed ??= close()
    return closed
  }
  const close = async (): Promise<void> => {
    if (opening && !server.listening) await opening.catch(() => undefined)
    if (server.listening) await new Promise<void>((resolve) => server.close(() => resolve()))
  }
  return {
    handler,
    get address() {
      const address = server.address()
      return typeof address === 'object' && address !== null ? address : undefined
    },
    async listen({ host = '127.0.0.1', port = 0 } = {}) {
      if (opening) throw coreErrors.LISTEN_FAILED({ host, port, reason: 'the kernel listens already' })
      if (closed) throw coreErrors.LISTEN_FAILED({ host, port, reason: stopped })
      opening = listen(server, host, port)
      const address = await opening.catch((error: unknown) => {
        opening = undefined
        throw error
      })
      if (closed) throw coreErrors.LISTEN_FAILED({ host, port, reason: stopped })
      server.on('error', (error) => engine.logger.error({ err: error }, 'a connection could not be accepted'))
      return { host, port: address.port }
    },
    stopAccepting() {
      void closeServer()
    },
    closeIdle() {
      server.closeIdleConnections()
    },
    async close() {
      const done = closeServer()
      server.closeAllConnections()
      await Promise.all([done, app.close()])
    },
  }
}
