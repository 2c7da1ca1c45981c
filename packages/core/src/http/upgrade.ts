import { type IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { coreErrors } from '../errors.js'
import { clientAddress } from './client-address.js'
import { authenticationRequest, type HttpEngine } from './engine.js'
import { problemOf } from './error-answer.js'
import type { UpgradeContext } from './http.js'
import { answerOnSocket } from './raw-answer.js'
import { requestIdOf } from './request-id.js'
import { normalizePath, pathOnly, withoutPrefix } from './request-path.js'

type RequestListener = (request: IncomingMessage, response: ServerResponse) => void
type UpgradeListener = (request: IncomingMessage, socket: Duplex, head: Buffer, next?: () => void) => void

/** Sockets that have left HTTP. */
export interface UpgradedSockets {
  add(socket: Duplex): void
  destroyAll(): void
}

export function createUpgradedSockets(): UpgradedSockets {
  const sockets = new Set<Duplex>()
  return {
    add(socket) {
      sockets.add(socket)
      socket.once('close', () => sockets.delete(socket))
    },
    destroyAll() {
      for (const socket of sockets) socket.destroy()
    },
  }
}

interface UpgradeOptions {
  readonly sockets: UpgradedSockets
  /** Where a host mounted us. */
  readonly prefix: string
  /**
   * Gets what is not ours. By default upgrades of unknown paths are answered 404, and those to another protocol than
   * WebSocket are answered as if they had not asked (RFC 9110 section 7.8), by `plain`.
   */
  readonly others?: UpgradeListener
  readonly plain: RequestListener
}

/** Listener for a server's `upgrade` event; called with `next`, that gets what is not ours. Never throws. */
export function createUpgradeListener(engine: HttpEngine, options: UpgradeOptions): UpgradeListener {
  const { sockets, prefix, others, plain } = options

  return (request, socket, head, next) => {
    const path = withoutPrefix(normalizePath(request.url ?? '/'), prefix)
    const wantsWebSocket = /(^|[\s,])websocket\s*(,|$)/i.test(request.headers.upgrade ?? '')
    const handler = path === undefined || !wantsWebSocket ? undefined : engine.upgrades.find(path)
    const pass = next ?? (others && (() => others(request, socket, head)))
    if (!handler && pass) {
      pass()
      return
    }
    // No closure: one would keep the request for as long as the socket lives.
    socket.on('error', destroy)
    sockets.add(socket)
    if (!handler && !wantsWebSocket && isBodyless(request)) {
      answerPlainly(request, socket, plain)
      return
    }
    engine.upgrades.claim(request)
    const requestId = requestIdOf(request, engine.trusted)
    const ip = clientAddress(request, engine.trusted)
    let refused = false
    const refuse = (error: unknown): void => {
      if (refused) return
      refused = true
      const answer = problemOf(engine, error, requestId, engine.bodyLimit)
      const { status } = answer.problem
      engine.logger.info({ requestId, ip, method: 'UPGRADE', path: pathOnly(request.url ?? '/'), status }, 'request')
      answerOnSocket(socket, answer)
    }
    const run = async (): Promise<void> => {
      if (engine.closed || engine.inFlight.draining) throw coreErrors.UNAVAILABLE({ reason: 'The panel is stopping' })
      await engine.guards.run([path ?? '/'], request)
      if (!wantsWebSocket) throw coreErrors.BAD_REQUEST({ reason: 'There is no such protocol to change to' })
      if (!handler) throw coreErrors.NOT_FOUND()
      const authentication = await engine.authenticator.authenticate(authenticationRequest(request, ip))
      if (socket.destroyed) return
      const context: UpgradeContext = { authentication, request, socket, head, ip, requestId, refuse }
      await handler(context)
    }
    run().catch(refuse)
  }
}

function destroy(this: Duplex): void {
  this.destroy()
}

/** Whether a request can be answered although its parser, which would read a body, has gone. */
export function isBodyless({ method }: IncomingMessage): boolean {
  return method === 'GET' || method === 'HEAD'
}

/** Answers an upgrade request as the plain request that it also is. Its body, if any, is not read. */
export function answerPlainly(request: IncomingMessage, socket: Duplex, plain: RequestListener): void {
  const response = new ServerResponse(request)
  response.shouldKeepAlive = false
  response.assignSocket(socket as never)
  response.once('finish', () => socket.end(() => socket.destroy()))
  plain(request, response)
}
