import { createSocket } from 'node:dgram'
import { paced } from './paced.mjs'

const OPEN_AT_ONCE = 512
let sources = 0

/**
 * One datagram from each of `rate` × `ms` addresses that were never seen before and never answer: port and address in 127.0.0.0/8,
 * away from the players' own (127.0.x and 127.1.x).
 */
export async function flood({ host, port, rate, ms, bytes }) {
  const message = Buffer.alloc(bytes, 'e')
  let open = 0
  let failed = 0
  const { sent, seconds } = await paced(rate, ms, () => {
    if (open >= OPEN_AT_ONCE) return void failed++
    const number = sources++
    const socket = createSocket({ type: 'udp4', lookup: (name, _options, done) => done(null, name, 4) })
    open++
    const close = () => {
      open--
      socket.close()
    }
    socket.once('error', () => {
      failed++
      close()
    })
    socket.bind(
      { port: 0, address: `127.${2 + (number & 127)}.${(number >> 7) & 255}.${1 + ((number >> 15) & 127)}` },
      () => socket.send(message, port, host, close),
    )
  })
  return { sources: sent - failed, seconds }
}
