// The local service: node service.mjs '{"host"}'. The first byte says what is wanted.
// TCP: `e` echoes what follows, `s` swallows and says now and then how much in all (8 bytes), `g` gives for as many ms as the next
// four bytes say and ends. UDP: `e` echoes, `s` is counted, `h` is echoed and its sender remembered for `blast`.
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer, Socket } from 'node:net'
import { paced } from '../load/paced.mjs'
import { answerCalls } from './calls.mjs'

const { host } = JSON.parse(process.argv[2])
const block = Buffer.alloc(256 * 1024, 7)
/** What was read is used up before anything else is read, on whatever connection. */
const shared = Buffer.alloc(256 * 1024)
const SAY_MS = 10

const server = createServer({ noDelay: true, pauseOnConnect: true }, (accepted) => {
  const serve = { sink: undefined }
  const socket = intoOneBuffer(accepted, (bytes) => {
    if (serve.sink) serve.sink(bytes)
    else begin(socket, bytes, serve)
  })
  socket.on('error', () => socket.destroy())
})

/**
 * What arrives is read into the shared buffer. An accepted socket has no documented way to that, so its handle gets a new socket; where that does
 * not work, every read has a buffer of its own, which makes this service slower, for all systems alike.
 */
function intoOneBuffer(accepted, onBytes) {
  const handle = accepted._handle
  if (typeof handle?.useUserBuffer !== 'function') {
    accepted.on('data', onBytes)
    return accepted.resume()
  }
  accepted._handle = null
  const onread = { buffer: shared, callback: (count, buffer) => onBytes(buffer.subarray(0, count)) }
  const socket = new Socket({ handle, onread })
  socket.resume()
  return socket
}

function begin(socket, bytes, serve) {
  const rest = bytes.subarray(1)
  if (bytes[0] === 0x65) {
    serve.sink = (data) => socket.write(Buffer.from(data))
    if (rest.length > 0) serve.sink(rest)
  } else if (bytes[0] === 0x73) swallow(socket, rest.length, serve)
  else give(socket, rest.readUInt32BE(), serve)
}

function swallow(socket, already, serve) {
  let total = already
  let said = 0
  serve.sink = (data) => {
    total += data.length
  }
  const timer = setInterval(() => {
    if (said === total) return
    said = total
    const count = Buffer.alloc(8)
    count.writeBigUInt64BE(BigInt(total))
    socket.write(count)
  }, SAY_MS)
  socket.on('close', () => clearInterval(timer))
}

function give(socket, ms, serve) {
  serve.sink = () => undefined
  const until = performance.now() + ms
  const push = () => {
    do {
      if (performance.now() > until) return void socket.end()
    } while (socket.write(block))
    socket.once('drain', push)
  }
  push()
}

// A look-up that answers at once, since the addresses are numbers: sending is what this service does most.
const udp = createSocket({ type: 'udp4', lookup: (name, _options, done) => done(null, name, 4) })
const known = new Map()
let swallowed = 0
udp.on('error', () => undefined)
udp.on('message', (message, { port, address }) => {
  if (message[0] === 0x65) udp.send(message, port, address)
  else if (message[0] === 0x73) swallowed++
  else {
    known.set(`${address}:${port}`, { port, address })
    udp.send(message, port, address)
  }
})
const listening = Promise.all([once(udp, 'listening'), once(server, 'listening')])
udp.bind(0, host)
server.listen({ port: 0, host, backlog: 4_096 })
await listening
udp.setRecvBufferSize(1024 * 1024)
udp.setSendBufferSize(1024 * 1024)

answerCalls(
  {
    /** Datagrams that were swallowed since the last time. */
    swallowed() {
      const count = swallowed
      swallowed = 0
      return count
    },
    forget: () => known.clear(),
    /** Sends to all who said `h`, in turn. */
    async blast({ rate, ms, bytes }) {
      const to = [...known.values()]
      const message = Buffer.alloc(bytes, 'b')
      let next = 0
      return await paced(rate, ms, () => {
        const { port, address } = to[next++ % to.length]
        udp.send(message, port, address)
      })
    },
  },
  { tcp: server.address().port, udp: udp.address().port },
)
