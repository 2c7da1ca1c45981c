import type { IncomingMessage } from 'node:http'
import { MAX_AGENT_MESSAGE_BYTES } from '@sallyport/relay'
import { type RawData, type Server, WebSocket, WebSocketServer } from 'ws'

/** Who hears what comes over a control socket. */
export interface SocketOwner {
  heard(): boolean
  received(data: RawData, isBinary: boolean): void
  failed(error: Error): void
  gone(): void
}

/** A WebSocket that knows its session: with thousands of them, handlers of their own would be most of what each takes. */
export class ControlSocket extends WebSocket {
  owner: SocketOwner | undefined

  /** From now on the owner hears everything. */
  attach(owner: SocketOwner): void {
    this.owner = owner
    this.on('ping', onHeard)
    this.on('pong', onHeard)
    this.on('message', onMessage)
    this.on('error', onError)
    this.once('close', onClose)
  }
}

export type ControlSocketServer = Server<typeof ControlSocket, typeof IncomingMessage>

export function createControlSocketServer(): ControlSocketServer {
  return new WebSocketServer({
    WebSocket: ControlSocket,
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: MAX_AGENT_MESSAGE_BYTES,
  })
}

function onHeard(this: WebSocket): void {
  ;(this as ControlSocket).owner?.heard()
}

function onMessage(this: WebSocket, data: RawData, isBinary: boolean): void {
  ;(this as ControlSocket).owner?.received(data, isBinary)
}

function onError(this: WebSocket, error: Error): void {
  ;(this as ControlSocket).owner?.failed(error)
}

function onClose(this: WebSocket): void {
  ;(this as ControlSocket).owner?.gone()
}
