import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect } from 'node:net'

const host = '127.0.0.1'
const streamBytes = 512 * 1024 * 1024
const roundTrips = 3_000
const connections = 1_500
const parallel = 64
const datagrams = 20_000
const inFlight = 64
const block = Buffer.alloc(256 * 1024, 7)

/** Each measure gives one figure for one port. `better` says which way is good. */
export const measures = {
  'tcp-upload': { unit: 'Gbit/s', better: 'higher', port: 'tcp', run: upload },
  'tcp-download': { unit: 'Gbit/s', better: 'higher', port: 'tcp', run: download },
  'tcp-round-trip': { unit: 'µs p50, 64 B', better: 'lower', port: 'tcp', run: roundTrip },
  'tcp-connect': { unit: 'connect-echo-close/s', better: 'higher', port: 'tcp', run: connectEchoClose },
  'udp-echo': { unit: 'datagrams/s, 100 B', better: 'higher', port: 'udp', run: udpEcho },
}

const seconds = (start) => Number(process.hrtime.bigint() - start) / 1e9

async function upload(port) {
  const socket = connect({ port, host, noDelay: true, allowHalfOpen: true })
  const start = process.hrtime.bigint()
  socket.write('s')
  for (let sent = 0; sent < streamBytes; sent += block.length) {
    if (!socket.write(block)) await once(socket, 'drain')
  }
  socket.end()
  const [answer] = await once(socket, 'data')
  if (Number(String(answer)) !== streamBytes) throw new Error(`only ${answer} bytes arrived`)
  return (streamBytes * 8) / 1e9 / seconds(start)
}

async function download(port) {
  const socket = connect({ port, host, noDelay: true, allowHalfOpen: true })
  const ask = Buffer.alloc(9, 'g')
  ask.writeBigUInt64BE(BigInt(streamBytes), 1)
  const start = process.hrtime.bigint()
  let bytes = 0
  socket.on('data', (data) => {
    bytes += data.length
  })
  socket.write(ask)
  await once(socket, 'end')
  socket.end()
  if (bytes !== streamBytes) throw new Error(`only ${bytes} bytes arrived`)
  return (streamBytes * 8) / 1e9 / seconds(start)
}

async function roundTrip(port) {
  const socket = connect({ port, host, noDelay: true })
  socket.write('e')
  const message = Buffer.alloc(64, 1)
  const times = []
  for (let index = 0; index < roundTrips; index++) {
    const start = process.hrtime.bigint()
    socket.write(message)
    await once(socket, 'data')
    times.push(seconds(start) * 1e6)
  }
  socket.destroy()
  return median(times.slice(roundTrips / 10))
}

async function connectEchoClose(port) {
  let left = connections
  const start = process.hrtime.bigint()
  const worker = async () => {
    while (left-- > 0) {
      const socket = connect({ port, host, noDelay: true })
      socket.write('eping')
      await once(socket, 'data')
      socket.end()
      await once(socket, 'close')
    }
  }
  await Promise.all(Array.from({ length: parallel }, worker))
  return connections / seconds(start)
}

/** As many datagrams as come back with a window of them on their way; a lost one is counted after a pause. */
async function udpEcho(port) {
  const socket = createSocket('udp4')
  socket.connect(port, host)
  await once(socket, 'connect')
  const message = Buffer.alloc(100, 1)
  let sent = 0
  let received = 0
  const start = process.hrtime.bigint()
  await new Promise((resolve) => {
    let idle
    const send = () => {
      if (sent < datagrams) socket.send(message)
      sent++
    }
    const stalled = () => {
      if (received >= datagrams * 0.99) return resolve()
      for (let index = 0; index < inFlight; index++) send()
      idle = setTimeout(stalled, 200)
      if (sent > datagrams * 2) resolve()
    }
    socket.on('message', () => {
      received++
      if (received >= datagrams) return resolve()
      send()
      idle?.refresh()
    })
    for (let index = 0; index < inFlight; index++) send()
    idle = setTimeout(stalled, 200)
    socket.once('close', () => clearTimeout(idle))
  })
  const rate = received / seconds(start)
  socket.close()
  return rate
}

export function median(values) {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)]
}
