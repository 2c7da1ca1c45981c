// A game server in a process of its own: 'e' and it says back what it hears, 'p' and it talks without an end, whatever it hears.
// Datagrams come back as they are.
import { createSocket } from 'node:dgram'
import { createServer, type Socket } from 'node:net'
import { serveParent } from './serve-parent.js'

const { port } = JSON.parse(process.argv[2] ?? '{}') as { port: number }
const PUSH_EVERY_MS = 2
const PUSH_BYTES = 4_096

const server = createServer({ allowHalfOpen: true }, (socket) => {
  socket.on('error', () => {})
  socket.once('data', (first: Buffer) => {
    if (first[0] === 0x70) push(socket)
    else {
      socket.write(first.subarray(1))
      socket.pipe(socket)
    }
  })
})
server.listen(port, '127.0.0.1')
const datagrams = createSocket('udp4')
datagrams.on('message', (payload, from) => datagrams.send(payload, from.port, from.address))
datagrams.bind(port, '127.0.0.1')
await Promise.all([server, datagrams].map((one) => new Promise((resolve) => one.once('listening', resolve))))
serveParent({})

function push(socket: Socket): void {
  socket.resume()
  const timer = setInterval(() => {
    if (socket.writableLength < PUSH_BYTES) socket.write(Buffer.alloc(PUSH_BYTES))
  }, PUSH_EVERY_MS)
  socket.on('close', () => clearInterval(timer))
}
