import { createSocket, type Socket as UdpSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'

/** A TCP echo on a free port. */
export async function startEcho(): Promise<{ port: number; close(): Promise<void> }> {
  const sockets = new Set<Socket>()
  const server: Server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => undefined)
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

/** A UDP echo on a free port. */
export async function startUdpEcho(): Promise<{ port: number; close(): Promise<void> }> {
  const socket: UdpSocket = createSocket('udp4')
  socket.on('message', (message, { port, address }) => socket.send(message, port, address))
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  return {
    port: socket.address().port,
    async close() {
      socket.close()
      await once(socket, 'close')
    },
  }
}

/** Nobody hangs for longer: a test says where it waits. */
const silenceMs = 15_000

function giveUp(socket: Socket): void {
  socket.setTimeout(silenceMs, () => socket.destroy(new Error(`nothing came for ${silenceMs} ms`)))
}

/** A player who sends `text`, ends, and gives what comes back until the other side ends too. */
export async function playTcp(port: number, text: string): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  giveUp(socket)
  const chunks: Buffer[] = []
  socket.on('data', (chunk) => chunks.push(chunk))
  await once(socket, 'connect')
  socket.end(text)
  await once(socket, 'close')
  return Buffer.concat(chunks).toString()
}

/** A player who sends one datagram and gives the answer. */
export async function playUdp(port: number, text: string): Promise<string> {
  const socket = createSocket('udp4')
  try {
    const answer = once(socket, 'message', { signal: AbortSignal.timeout(5_000) })
    socket.send(text, port, '127.0.0.1')
    const [message] = await answer
    return String(message)
  } finally {
    socket.close()
  }
}

/** A player who stays. Rejects when it is let go before the first answer. */
export async function stayTcp(port: number): Promise<{ socket: Socket; closed: Promise<void> }> {
  const socket = connect({ port, host: '127.0.0.1' })
  socket.on('error', () => undefined)
  giveUp(socket)
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  await once(socket, 'connect')
  socket.write('here')
  const letGo = closed.then(() => Promise.reject(new Error('closed before the first answer')))
  await Promise.race([once(socket, 'data'), letGo])
  letGo.catch(() => undefined)
  socket.setTimeout(0)
  return { socket, closed }
}
