import { once } from 'node:events'
import { connect } from 'node:net'
import { quantile } from '../median.mjs'

const ANSWER_MS = 10_000
const PARALLEL = 64
const ping = Buffer.from('eping')

/** Until the service answers through whatever listens there. */
export async function awaitEcho({ host, port, ms }) {
  const deadline = performance.now() + ms
  for (;;) {
    try {
      const { socket } = await echoOnce(host, port, 1_000)
      socket.destroy()
      return
    } catch (error) {
      if (performance.now() > deadline) throw new Error(`${host}:${port}/tcp never answered (${error.message})`)
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
}

/** Round trips of 64 bytes one after another over one connection, in µs. */
export async function roundTrips({ host, port, count }) {
  const { socket } = await echoOnce(host, port)
  const message = Buffer.alloc(64, 1)
  const times = new Float64Array(count)
  await new Promise((resolve, reject) => {
    let index = 0
    let pending = 0
    let start = performance.now()
    socket.on('close', () => reject(new Error('the connection ended between round trips')))
    socket.on('data', (data) => {
      pending -= data.length
      if (pending > 0) return
      const now = performance.now()
      times[index++] = (now - start) * 1_000
      if (index === count) return resolve()
      start = now
      pending = message.length
      socket.write(message)
    })
    pending = message.length
    socket.write(message)
  })
  socket.destroy()
  const settled = times.subarray(count / 10)
  return { p50: quantile(settled, 0.5), p99: quantile(settled, 0.99) }
}

/** Connects, has four bytes echoed and closes, 64 in parallel, for so many ms or connections. */
export async function connectEchoClose({
  host,
  port,
  ms = Number.POSITIVE_INFINITY,
  count = Number.POSITIVE_INFINITY,
}) {
  const times = []
  let begun = 0
  let failed = 0
  const start = performance.now()
  const player = async () => {
    while (begun < count && performance.now() - start < ms) {
      begun++
      try {
        const { socket, ms } = await echoOnce(host, port)
        times.push(ms)
        socket.end()
        // The rest of the closing takes no part in the time of this one, but in that of the next.
        if (!socket.closed) await once(socket, 'close')
      } catch {
        failed++
        await new Promise((resolve) => setTimeout(resolve, 1))
      }
    }
  }
  await Promise.all(Array.from({ length: PARALLEL }, player))
  const perSecond = times.length / ((performance.now() - start) / 1_000)
  return { done: times.length, failed, perSecond, p50: quantile(times, 0.5), p99: quantile(times, 0.99) }
}

/** Milliseconds from a new player's connect to the first byte from the service. */
export async function firstByte({ host, port }) {
  const { socket, ms } = await echoOnce(host, port)
  socket.destroy()
  return ms
}

/** The same for players who all come at once. */
export async function firstBytes({ host, port, count }) {
  return Promise.all(Array.from({ length: count }, () => firstByte({ host, port })))
}

const idle = []

/** Players who had one answer and are silent from then on, until this process ends. */
export async function idlePlayers({ host, port, count }) {
  let left = count
  const open = async () => {
    while (left-- > 0) {
      const { socket } = await echoOnce(host, port)
      socket.on('error', () => undefined)
      idle.push(socket)
    }
  }
  await Promise.all(Array.from({ length: PARALLEL / 2 }, open))
}

export function idlePlayersLeft() {
  return idle.filter((socket) => !socket.destroyed && !socket.readableEnded).length
}

function echoOnce(host, port, limitMs = ANSWER_MS) {
  return new Promise((resolve, reject) => {
    const start = performance.now()
    const socket = connect({ host, port, noDelay: true })
    const timer = setTimeout(() => fail(new Error('no answer in time')), limitMs)
    const onClose = () => fail(new Error('closed without an answer'))
    function fail(error) {
      clearTimeout(timer)
      socket.destroy()
      reject(error)
    }
    socket.on('error', fail)
    socket.on('close', onClose)
    socket.once('data', () => {
      clearTimeout(timer)
      socket.off('close', onClose)
      resolve({ socket, ms: performance.now() - start })
    })
    socket.write(ping)
  })
}
