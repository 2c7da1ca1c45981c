import { createServer, type Server, type ServerOpts, type Socket } from 'node:net'
import type { SocketSource } from '../handover/taken-sockets.js'
import type { Descriptors } from './descriptors.js'

const KEEP_ALIVE_AFTER_MS = 20_000
const ACCEPT_ERROR_INTERVAL_MS = 1_000

/** For every socket that carries players' bytes or a link: half-close kept, nothing held back, dead peers found. */
export const SOCKET_OPTIONS: Readonly<ServerOpts> = Object.freeze({
  allowHalfOpen: true,
  pauseOnConnect: true,
  noDelay: true,
  keepAlive: true,
  keepAliveInitialDelay: KEEP_ALIVE_AFTER_MS,
})

/** Who may come closer to the end of the descriptors: without agents no player is served. */
const SPARES = { player: 2, agent: 1 } as const

/**
 * A server that lets go at once who comes when descriptors run out, and says so as EMFILE in its 'error' event, as if accepting had
 * failed; it goes on when there are some again.
 */
export function createTcpServer(
  options: ServerOpts,
  descriptors: Descriptors,
  whose: keyof typeof SPARES,
  onConnection: (socket: Socket) => void,
): Server {
  const server = createServer(options, (socket) => {
    if (!descriptors.short(socket, SPARES[whose])) return onConnection(socket)
    socket.destroy()
    server.emit('error', Object.assign(new Error('too many open files'), { code: 'EMFILE', syscall: 'accept' }))
  })
  return server
}

/**
 * Gives the bound port, or rejects with the system's error and leaves the server closed. Later errors, of accept (EMFILE and the
 * like), do not close it; `onAcceptError` hears of them once a second at most.
 * @param options.taken gives a socket that is bound already, instead
 */
export function listenTcp(
  server: Server,
  options: { host: string; port: number; taken?: SocketSource<Server> | undefined },
  onAcceptError: (error: NodeJS.ErrnoException) => void,
): Promise<number> {
  return new Promise((resolve, reject) => {
    let closed = false
    const failed = (error: Error) => {
      server.off('close', onClose)
      reject(error)
    }
    // Closed while it was binding: Node forgets to listen, or listens all the same, depending on when.
    const onClose = () => {
      closed = true
      server.off('error', failed)
      reject(new Error('closed while binding'))
    }
    server.once('error', failed)
    server.once('close', onClose)
    const listening = () => {
      if (closed) {
        server.close()
        return
      }
      server.off('error', failed).off('close', onClose)
      let toldAt = Number.NEGATIVE_INFINITY
      server.on('error', (error) => {
        if (performance.now() - toldAt < ACCEPT_ERROR_INTERVAL_MS) return
        toldAt = performance.now()
        onAcceptError(error)
      })
      const address = server.address()
      resolve(typeof address === 'object' && address !== null ? address.port : port)
    }
    const { host, port, taken } = options
    if (taken === undefined) server.listen({ host, port, exclusive: true }, listening)
    else taken((socket) => server.listen(socket, listening), failed)
  })
}
