import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { FastifyPluginAsync } from 'fastify'
import { coreErrors } from '../errors.js'
import type { Scope } from '../kernel/scope.js'
import { createBridge } from './bridge.js'
import type { HttpEngine } from './engine.js'
import { problemOf } from './error-answer.js'
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
  const handler = (request: IncomingMessage, response: ServerResponse): void => {
    if (own) own.handler(request, response)
    else
      ownApp().then(
        (app) => app.handler(request, response),
        (error: unknown) =>
          answerOnResponse(response, problemOf(engine, error, requestIdOf(request, engine.trusted), engine.bodyLimit)),
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
    upgrade: createUpgradeListener(engine, { sockets, prefix: options.basePath, plain: handler }) as (
      request: IncomingMessage,
      socket: Duplex,
      head: Buffer,
    ) => void,
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
