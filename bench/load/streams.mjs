import { once } from 'node:events'
import { connect } from 'node:net'

const block = Buffer.alloc(256 * 1024, 7)
/** How long what was sent may take to arrive. */
const DRAIN_MS = 20_000

/** One stream to the service for so many ms. Gives Gbit/s, from the first byte sent to the word that the last one arrived. */
export async function streamUp({ host, port, ms }) {
  let arrived = 0
  let onArrived
  const socket = connect({
    host,
    port,
    noDelay: true,
    onread: {
      buffer: Buffer.alloc(64),
      callback(count, buffer) {
        // Of several counts in one read the last one holds.
        if (count >= 8) arrived = Number(buffer.readBigUInt64BE(count - 8))
        onArrived?.()
      },
    },
  })
  await once(socket, 'connect')
  const start = performance.now()
  let sent = block.length
  socket.write(Buffer.concat([Buffer.from('s'), block]))
  while (performance.now() - start < ms) {
    sent += block.length
    if (!socket.write(block)) await once(socket, 'drain')
  }
  await new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`only ${arrived} of ${sent} bytes arrived`)), DRAIN_MS)
    const failed = () => reject(new Error(`the stream ended after ${arrived} of ${sent} bytes`))
    socket.once('close', failed)
    onArrived = () => {
      if (arrived < sent) return
      clearTimeout(timer)
      socket.off('close', failed)
      resolve()
    }
    onArrived()
  })
  const seconds = (performance.now() - start) / 1_000
  socket.destroy()
  return (sent * 8) / 1e9 / seconds
}

/** One stream from the service, which gives for so many ms. Gbit/s, from the asking to the end. */
export async function streamDown({ host, port, ms }) {
  let bytes = 0
  const socket = connect({
    host,
    port,
    noDelay: true,
    onread: {
      buffer: Buffer.alloc(256 * 1024),
      callback(count) {
        bytes += count
      },
    },
  })
  await once(socket, 'connect')
  const ask = Buffer.from('g    ')
  ask.writeUInt32BE(ms, 1)
  const start = performance.now()
  socket.write(ask)
  await once(socket, 'end', { signal: AbortSignal.timeout(DRAIN_MS) })
  const seconds = (performance.now() - start) / 1_000
  socket.destroy()
  return (bytes * 8) / 1e9 / seconds
}
