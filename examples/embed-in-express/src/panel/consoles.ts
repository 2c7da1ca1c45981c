import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { type WebSocket, WebSocketServer } from 'ws'
import { mayWriteAny, type User, users } from './users.js'

/** The consoles of game servers, each at a WebSocket of its own: whoever looks sees what anybody types. */
export interface Consoles {
  /** @param userOf who asks */
  open(request: IncomingMessage, socket: Duplex, head: Buffer, userOf: UserOf): Promise<void>
  close(): void
}

export type UserOf = (request: IncomingMessage) => Promise<User>

const path = /^\/consoles\/([a-z]{1,50})$/

export function createConsoles(): Consoles {
  const server = new WebSocketServer({ noServer: true, maxPayload: 1_024 })
  const rooms = new Map<WebSocket, string>()

  const join = (webSocket: WebSocket, room: string, name: string): void => {
    rooms.set(webSocket, room)
    webSocket.on('close', () => rooms.delete(webSocket))
    webSocket.on('error', () => webSocket.terminate())
    webSocket.on('message', (line) => {
      for (const [other, otherRoom] of rooms) if (otherRoom === room) other.send(`${name}: ${line}`)
    })
    webSocket.send(`welcome to ${room}, ${name}`)
  }

  return {
    async open(request, socket, head, userOf) {
      socket.on('error', () => socket.destroy())
      try {
        const room = path.exec(request.url ?? '')?.[1]
        if (room === undefined) throw Object.assign(new Error('there is no such console'), { status: 404 })
        const user = await userOf(request)
        const may = mayWriteAny(user) || (await users.ownsConsole(user.id, room))
        if (!may) throw Object.assign(new Error('this console is not yours'), { status: 403 })
        server.handleUpgrade(request, socket, head, (webSocket) => join(webSocket, room, user.name))
      } catch (error) {
        const { status = 500 } = error as { readonly status?: number }
        socket.end(`HTTP/1.1 ${status} Refused\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`)
      }
    },
    close() {
      for (const webSocket of rooms.keys()) webSocket.terminate()
    },
  }
}
