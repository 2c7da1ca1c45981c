import { createSocket } from 'node:dgram'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import type { Test } from 'tap'
import { event, until, within } from '../deadline.js'

/** A local service for TCP and UDP on one number, that says its name with each answer. */
export interface LabelledService {
  readonly port: number
  readonly label: string
}

export async function labelledService(t: Test, label: string): Promise<LabelledService> {
  const sockets = new Set<Socket>()
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
    socket.on('close', () => sockets.delete(socket))
    socket.on('data', (data) => socket.write(`${label}:${data}`))
  })
  t.teardown(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  for (;;) {
    server.listen(0, '127.0.0.1')
    await event(server, 'listening')
    const { port } = server.address() as AddressInfo
    const datagrams = createSocket('udp4')
    datagrams.on('message', (data, from) => datagrams.send(`${label}:${data}`, from.port, from.address))
    try {
      datagrams.bind(port, '127.0.0.1')
      await event(datagrams, 'listening')
      t.teardown(() => datagrams.close())
      return { port, label }
    } catch {
      // Another program has the number for UDP.
      datagrams.close()
      await new Promise((resolve) => server.close(resolve))
    }
  }
}

/** A player over TCP who stays. */
export interface Talker {
  readonly closed: Promise<unknown>
  /** Says a word and gives the answer, which is one piece. Rejects when the player is cut. */
  ask(word: string): Promise<string>
  leave(): void
}

/** Resolves when the public port has taken the connection; whether anybody serves it `ask` shows. */
export async function talker(t: Test, port: number): Promise<Talker> {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true })
  t.teardown(() => socket.destroy())
  const closed = new Promise((resolve) => socket.once('close', resolve))
  const connected = event(socket, 'connect')
  socket.on('error', () => undefined)
  await connected
  socket.resume()
  return {
    closed,
    ask(word) {
      const answer = new Promise<string>((resolve, reject) => {
        socket.once('data', (data) => resolve(String(data)))
        void closed.then(() => reject(new Error('the player was cut')))
      })
      socket.write(word)
      return within(`the answer to ${word}`, answer, 5_000)
    },
    leave: () => socket.destroy(),
  }
}

/** Comes, asks, leaves; rejects when nobody serves. */
export async function askTcp(t: Test, port: number, word: string): Promise<string> {
  const player = await talker(t, port)
  try {
    return await player.ask(word)
  } finally {
    player.leave()
  }
}

/** A player over UDP, always from the same address. */
export interface UdpTalker {
  /** UDP may lose a datagram: it is said until an answer to it comes. */
  ask(word: string): Promise<string>
}

export async function udpTalker(t: Test, port: number): Promise<UdpTalker> {
  const socket = createSocket('udp4')
  socket.on('error', () => undefined)
  socket.connect(port, '127.0.0.1')
  await event(socket, 'connect')
  t.teardown(() => socket.close())
  return {
    ask: (word) =>
      until(`an answer to ${word} over UDP`, async () => {
        const answer = event(socket, 'message', 500)
        socket.send(word)
        const [data] = await answer
        return String(data).endsWith(word) && String(data)
      }),
  }
}
