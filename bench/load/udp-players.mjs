import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { quantile } from '../median.mjs'
import { paced } from './paced.mjs'

const SOCKET_BUFFER_BYTES = 1024 * 1024
/** Datagrams on their way from this process; the system sends at once, so that a buffer is free again long before. */
const BUFFERS = 4_096
const ROUND_OFFSET = 1
const TIME_OFFSET = 2
/** What takes longer than this is as good as lost: a queue that only grows is not a rate that holds. */
const LATE_MS = 100

const players = []
let round = 0
let times = new Float64Array(0)
let received = 0
let tooLate = LATE_MS
let blasted = 0

/** Players, each with an address of its own on loopback unless `source` is given, who have all been answered once. */
export async function udpPlayers({ host, port, count, source, ms = 15_000 }) {
  const fresh = []
  for (let index = 0; index < count; index++) {
    const socket = createSocket('udp4')
    socket.on('error', () => undefined)
    socket.bind(0, source ?? `127.1.${index >> 8}.${index & 255 || 1}`)
    await once(socket, 'listening')
    socket.connect(port, host)
    await once(socket, 'connect')
    socket.setRecvBufferSize(SOCKET_BUFFER_BYTES)
    socket.setSendBufferSize(SOCKET_BUFFER_BYTES)
    fresh.push(socket)
  }
  const answered = await greet(fresh, ms)
  if (answered < count) throw new Error(`only ${answered} of ${count} players were answered over UDP`)
  for (const socket of fresh) socket.on('message', onMessage)
  players.push(...fresh)
}

/** Says `h` until it comes back, several times if need be. Gives how many were answered. */
async function greet(sockets, ms) {
  const waiting = new Set(sockets)
  const deadline = performance.now() + ms
  for (const socket of sockets) socket.once('message', () => waiting.delete(socket))
  while (waiting.size > 0 && performance.now() < deadline) {
    let inTurn = 0
    for (const socket of waiting) {
      socket.send('h')
      if (++inTurn % 20 === 0) await new Promise((resolve) => setTimeout(resolve, 2))
    }
    const again = performance.now() + 500
    while (waiting.size > 0 && performance.now() < again) await new Promise((resolve) => setTimeout(resolve, 2))
  }
  return sockets.length - waiting.size
}

/** So that the service knows their addresses, should it have forgotten them or their flows have ended. */
export async function udpGreetAgain() {
  const answered = await greet(players, 5_000)
  if (answered < players.length) throw new Error(`only ${answered} of ${players.length} players were answered over UDP`)
}

function onMessage(message) {
  if (message[0] === 0x62) blasted++
  else if (message[0] === 0x65 && message[ROUND_OFFSET] === round && received < times.length) {
    const ms = performance.now() - message.readDoubleBE(TIME_OFFSET)
    if (ms <= tooLate) times[received++] = ms
  }
}

/** Datagrams of all players together, `rate` a second, which the service echoes. Times in ms. */
export async function udpEcho({ rate, ms, bytes, lateMs = LATE_MS }) {
  tooLate = lateMs
  round = (round + 1) & 255
  received = 0
  times = new Float64Array(Math.ceil((rate * ms) / 1_000) * 2 + 1_000)
  const { sent, seconds } = await sendPaced(rate, ms, bytes, 'e')
  await new Promise((resolve) => setTimeout(resolve, lateMs))
  const came = times.subarray(0, received)
  const lost = Math.max(0, sent - received)
  return { rate: sent / seconds, sent, lost, loss: lost / sent, p50: quantile(came, 0.5), p99: quantile(came, 0.99) }
}

/** The same, which the service only counts. */
export async function udpSend({ rate, ms, bytes }) {
  const { sent, seconds } = await sendPaced(rate, ms, bytes, 's')
  return { sent, seconds }
}

/** Datagrams from the service's `blast` since the last time. */
export function udpBlasted() {
  const count = blasted
  blasted = 0
  return count
}

/** Milliseconds from a new player's first datagram to its echo. `againMs`: it is said again after so long, as games do. */
export async function firstDatagram({ host, port, source, againMs }) {
  const socket = createSocket('udp4')
  let again
  try {
    socket.bind(0, source)
    await once(socket, 'listening')
    socket.connect(port, host)
    await once(socket, 'connect')
    const start = performance.now()
    socket.send('e')
    if (againMs !== undefined) again = setInterval(() => socket.send('e'), againMs)
    await once(socket, 'message', { signal: AbortSignal.timeout(2_000) })
    return performance.now() - start
  } catch {
    return undefined
  } finally {
    clearInterval(again)
    socket.close()
  }
}

async function sendPaced(rate, ms, bytes, kind) {
  const buffers = Array.from({ length: BUFFERS }, () => Buffer.alloc(bytes, kind))
  let next = 0
  return await paced(rate, ms, () => {
    const buffer = buffers[next % BUFFERS]
    buffer[ROUND_OFFSET] = round
    buffer.writeDoubleBE(performance.now(), TIME_OFFSET)
    players[next++ % players.length].send(buffer)
  })
}
