import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import type { Test } from 'tap'

const echoMs = 15_000

/** A local service that echoes; gives its port. */
export async function startEcho(t: Test): Promise<number> {
  const sockets = new Set<Socket>()
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
    socket.on('close', () => sockets.delete(socket))
    socket.pipe(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  return (server.address() as AddressInfo).port
}

export interface Player {
  readonly isGone: boolean
  /** Sends a word and waits for it to come back. */
  echo(word: string): Promise<void>
}

/** A player who stays. */
export async function join(t: Test, port: number): Promise<Player> {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true })
  t.teardown(() => socket.destroy())
  await once(socket, 'connect')
  socket.on('error', () => undefined)
  return {
    get isGone() {
      return socket.destroyed || socket.readableEnded
    },
    async echo(word) {
      socket.write(word)
      const [data] = await once(socket, 'data', { signal: AbortSignal.timeout(echoMs) })
      if (String(data) !== word) throw new Error(`${data} came back for ${word}`)
    },
  }
}
