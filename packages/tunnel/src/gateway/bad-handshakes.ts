import type { IncomingMessage } from 'node:http'
import { coreErrors, type UpgradeContext } from '@sallyport/core'
import type { WebSocketServer } from 'ws'

interface Handshakes {
  /** Called before the server is given the handshake. */
  expect(context: UpgradeContext): void
}

/** Has handshakes that break RFC 6455 section 4.2.1 refused as every other request is, with problem+json. */
export function refuseBadHandshakes(server: WebSocketServer): Handshakes {
  const contexts = new WeakMap<IncomingMessage, UpgradeContext>()
  server.on('wsClientError', ({ message }, socket, request) => {
    const context = contexts.get(request)
    if (!context) {
      socket.destroy()
      return
    }
    context.refuse(coreErrors.BAD_REQUEST({ reason: message }, { headers: { 'sec-websocket-version': '13' } }))
  })
  return { expect: (context) => void contexts.set(context.request, context) }
}
