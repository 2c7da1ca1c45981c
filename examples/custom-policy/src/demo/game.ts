import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

const answerTimeoutMs = 10_000

/** A service that says hello and echoes. */
export async function startGame(): Promise<{ readonly port: number; close(): Promise<void> }> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
    socket.on('close', () => sockets.delete(socket))
    socket.write('hello\n')
    socket.pipe(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as { port: number }).port,
    async close() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

/** A player who stays; undefined when he is let go before the game says hello. */
export async function join(port: number, localAddress = '127.0.0.1'): Promise<Socket | undefined> {
  const socket = connect({ host: '127.0.0.1', port, localAddress })
  socket.on('error', () => socket.destroy())
  const closed = new Promise<undefined>((resolve) => socket.once('close', () => resolve(undefined)))
  const greeted = new Promise<Socket>((resolve) => socket.once('data', () => resolve(socket)))
  const timer = setTimeout(() => socket.destroy(), answerTimeoutMs)
  const outcome = await Promise.race([greeted, closed])
  clearTimeout(timer)
  return outcome
}
