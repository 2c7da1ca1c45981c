// The local service. TCP: answers every connection by its first byte: `e` echoes, `s` swallows and says how much it
// got, `g` gives as many bytes as the next eight say. UDP: echoes.
import { createSocket } from 'node:dgram'
import { createServer } from 'node:net'

const block = Buffer.alloc(256 * 1024, 7)

const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
  socket.on('error', () => socket.destroy())
  socket.once('data', (first) => {
    const rest = first.subarray(1)
    if (first[0] === 0x65) echo(socket, rest)
    else if (first[0] === 0x73) swallow(socket, rest.length)
    else give(socket, Number(rest.readBigUInt64BE()))
  })
})

function echo(socket, rest) {
  if (rest.length > 0) socket.write(rest)
  socket.on('data', (data) => socket.write(data))
  socket.on('end', () => socket.end())
}

function swallow(socket, already) {
  let bytes = already
  socket.on('data', (data) => {
    bytes += data.length
  })
  socket.on('end', () => socket.end(String(bytes)))
}

function give(socket, bytes) {
  let left = bytes
  const push = () => {
    while (left > 0) {
      const piece = left < block.length ? block.subarray(0, left) : block
      left -= piece.length
      if (!socket.write(piece)) return void socket.once('drain', push)
    }
    socket.end()
  }
  push()
}

const udp = createSocket('udp4')
udp.on('message', (message, from) => udp.send(message, from.port, from.address))
udp.bind(0, '127.0.0.1', () => {
  server.listen(0, '127.0.0.1', () => process.send({ tcp: server.address().port, udp: udp.address().port }))
})
