import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import type { Disposer } from '../kernel/scope.js'
import type { HttpEngine } from './engine.js'
import { answerPlainly, createUpgradeListener, isBodyless, type UpgradedSockets } from './upgrade.js'

/**
 * Listens for our own paths' upgrades on a host's server, and leaves all others to the host. Without a listener of the
 * host's, Node would have answered them as plain requests, so that is what happens to them then.
 */
export function mountUpgrades(engine: HttpEngine, sockets: UpgradedSockets, app: FastifyInstance): Disposer {
  if (engine.upgrades.paths.length === 0) return () => undefined
  const server = app.server as Server
  const routing = app.routing
  const others = (request: IncomingMessage, socket: Duplex, _head: Buffer): void => {
    if (server.listenerCount('upgrade') > 1) return
    socket.on('error', () => socket.destroy())
    if (isBodyless(request)) answerPlainly(request, socket, routing)
    else socket.destroy()
  }
  const plain = (request: IncomingMessage, response: ServerResponse): void => routing(request, response)
  const listener = createUpgradeListener(engine, { sockets, prefix: app.prefix, others, plain })
  // First of all listeners, so that a host's which passes every upgrade through its routes finds ours claimed.
  server.prependListener('upgrade', listener)
  return () => void server.off('upgrade', listener)
}
