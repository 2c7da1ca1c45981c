import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import type { Test } from 'tap'
import { event, within } from '../deadline.js'

/** A local service that echoes; gives its port. */
export async function echoService(t: Test): Promise<number> {
  const sockets = new Set<Socket>()
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
    socket.on('close', () => sockets.delete(socket))
    socket.pipe(socket)
  })
  server.listen(0, '127.0.0.1')
  await event(server, 'listening')
  t.teardown(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  return (server.address() as AddressInfo).port
}

export interface Player {
  readonly socket: Socket
  readonly closed: Promise<unknown>
  isGone(): boolean
  /** Sends a word and waits for it to come back. */
  echo(word: string): Promise<void>
}

/** A player who stays. Use `echo` to know that there is somebody at the other end. */
export async function join(t: Test, port: number, host = '127.0.0.1'): Promise<Player> {
  const socket = connect({ host, port, noDelay: true })
  t.teardown(() => socket.destroy())
  const closed = new Promise((resolve) => socket.once('close', resolve))
  const connected = event(socket, 'connect')
  socket.on('error', () => undefined)
  await connected
  return {
    socket,
    closed,
    isGone: () => socket.destroyed || socket.readableEnded,
    async echo(word) {
      let text = ''
      const came = new Promise<void>((resolve, reject) => {
        const read = (data: Buffer): void => {
          text += data
          if (text.length < word.length) return
          socket.off('data', read)
          if (text === word) resolve()
          else reject(new Error(`${text} came back for ${word}`))
        }
        socket.on('data', read)
        closed.then(() => reject(new Error('the player was cut')))
      })
      socket.write(word)
      await within(`the echo of ${word}`, came)
    },
  }
}

/** Whether somebody listens on the port. */
export async function listens(port: number, host = '127.0.0.1'): Promise<boolean> {
  const socket = connect({ host, port })
  try {
    return await within(
      `the connection to ${port}`,
      new Promise<boolean>((resolve) => {
        socket.once('connect', () => resolve(true))
        socket.once('error', () => resolve(false))
      }),
    )
  } finally {
    socket.destroy()
  }
}
