import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect } from 'node:net'
import { until } from './program.js'

const host = '127.0.0.1'
const answerMs = 500

/** Joins the lobby, says something and gives what was heard. Tries again while nobody serves. */
export function chatOnce(port: number, line: string): Promise<string> {
  return until(`an answer on ${port}/tcp`, async () => {
    const socket = connect({ host, port })
    let heard = ''
    try {
      socket.on('error', () => undefined)
      socket.setEncoding('utf8').on('data', (text: string) => {
        heard += text
        if (heard.includes(line)) socket.end()
      })
      socket.write(`${line}\n`)
      await once(socket, 'close', { signal: AbortSignal.timeout(6_000) })
    } catch {
      return undefined
    } finally {
      socket.destroy()
    }
    return heard.includes(line) ? heard : undefined
  })
}

/** Sends a position until it is answered. */
export async function moveOnce(port: number, position: string): Promise<string> {
  const socket = createSocket('udp4')
  let answer: string | undefined
  socket.on('message', (message) => {
    answer = String(message)
  })
  let sentAt = -answerMs
  try {
    return await until(`an answer on ${port}/udp`, () => {
      if (performance.now() - sentAt > answerMs) {
        sentAt = performance.now()
        socket.send(position, port, host)
      }
      return answer
    })
  } finally {
    socket.close()
  }
}
