import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { FastifyPluginAsync } from 'fastify'
import { coreErrors } from '../errors.js'
import type { Scope } from '../kernel/scope.js'
import { createBridge } from './bridge.js'
import type { HttpEngine } from './engine.js'
import { problemOf } from './error-answer.js'
import { createHostRequests } from './host-requests.js'
import type { Http } from './http.js'
import { mountUpgrades } from './mounted-upgrades.js'
import { createOwnApp, type OwnApp, type OwnAppOptions } from './own-app.js'
import { answerOnResponse } from './raw-answer.js'
import { requestIdOf } from './request-id.js'
import type { AnyRoute } from './route-table.js'
import { createUpgradedSockets, createUpgradeListener } from './upgrade.js'

export interface ServiceOptions extends OwnAppOptions {
  readonly publicUrl: string | undefined
}

type Next = (error?: unknown) => void
/** As Express has it. */
type HostedRequest = IncomingMessage & { readonly originalUrl?: string }

/** What the plugin needs beside the service itself. */
export interface HttpService {
  readonly http: Http
  readonly ownApp: OwnApp | undefined
}

/** The `Http` service; what it opens is undone by `scope`. */
export function createHttpService(engine: HttpEngine, scope: Scope, options: ServiceOptions): HttpService {
  const sockets = createUpgradedSockets()
  const hosts = new Map<Server, string>()
  let own: OwnApp | undefined
  let making: Promise<OwnApp> | undefined
  let sealed = false

  scope.defer(async () => {
    engine.closed = true
    engine.streams.endAll()
    const app = await making?.catch(() => undefined)
    sockets.destroyAll()
    await app?.close()
  })

  const seal = (): void => {
    sealed = true
  }
  const assertOpen = (method: string, url: string): void => {
    if (sealed) throw coreErrors.ROUTE_INVALID({ method, url, reason: 'routes are added in setup, before serving' })
  }
  // Made when first asked for: a host that mounts the routes into its own app has no use for it.
  const ownApp = (): Promise<OwnApp> => {
    seal()
    making ??= createOwnApp(engine, sockets, options).then((app) => {
      own = app
      return app
    })
    return making
  }
  const hostRequests = createHostRequests(engine, options.basePath)
  /** Express cuts off the path that a handler is mounted below; `basePath` may have it all the same. */
  const ownTarget = ({ url, originalUrl }: HostedRequest): string | undefined =>
    [url, originalUrl].find((target) => target !== undefined && hostRequests.serves(target))
  let isWarned = false
  /** Upgrades come to the server, whole: nobody cuts off what the router of an app has. */
  const warnOfMount = ({ originalUrl }: HostedRequest, target: string): void => {
    if (isWarned || originalUrl === undefined || originalUrl === target || engine.upgrades.paths.length === 0) return
    isWarned = true
    const mount = originalUrl.endsWith(target) ? originalUrl.slice(0, -target.length) : undefined
    engine.logger.warn({ mount }, 'mounted below a path that is not the basePath of http(): WebSockets are not found')
  }
  const handler = (request: HostedRequest, response: ServerResponse, next?: Next): void => {
    const answer = (run: () => void): void => {
      const target = next && ownTarget(request)
      if (next && target === undefined) {
        next()
        return
      }
      if (target !== undefined) {
        warnOfMount(request, target)
        request.url = target
      }
      run()
    }
    if (own) {
      const { handler: route } = own
      answer(() => route(request, response))
      return
    }
    ownApp().then(
      (app) => answer(() => app.handler(request, response)),
      (error: unknown) => {
        const requestId = requestIdOf(request, engine.trusted)
        answer(() => answerOnResponse(response, problemOf(engine, error, requestId, engine.bodyLimit)))
      },
    )
  }

  const fastify: FastifyPluginAsync = async (app) => {
    seal()
    hosts.set(app.server as Server, app.prefix)
    scope.defer(mountUpgrades(engine, sockets, app))
    await app.register(createBridge(engine, { own: false }), { logLevel: 'silent' })
  }

  const http: Http = {
    route(definition) {
      assertOpen(definition.method, definition.url)
      engine.table.add(definition as unknown as AnyRoute)
    },
    guard(prefix, guard) {
      return engine.guards.add(prefix, guard)
    },
    upgradeRoute(path, upgradeHandler) {
      return engine.upgrades.add(path, upgradeHandler)
    },
    plugin(plugin) {
      assertOpen('PLUGIN', plugin.name)
      engine.plugins.push(plugin)
    },
    get publicUrl() {
      if (options.publicUrl !== undefined) return options.publicUrl
      const port = own?.address?.port
      return port === undefined ? mountedUrl(hosts) : localUrl(port) + options.basePath
    },
    fastify,
    handler,
    upgrade: createUpgradeListener(engine, { sockets, prefix: options.basePath, plain: handler }),
    serves: (request) => ownTarget(request) !== undefined,
    authenticate: hostRequests.authenticate,
    async listen(listenOptions) {
      return (await ownApp()).listen(listenOptions)
    },
  }
  return {
    http,
    get ownApp() {
      return own
    },
  }
}

function localUrl(port: number): string {
  return `http://localhost:${port}`
}

function mountedUrl(hosts: ReadonlyMap<Server, string>): string {
  for (const [server, prefix] of hosts) {
    const address = server.address()
    if (typeof address === 'object' && address !== null) return localUrl(address.port) + prefix
  }
  return 'http://localhost'
}
