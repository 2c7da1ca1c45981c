import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

const chatEveryMs = 500
const moveEveryMs = 100
const connectTimeoutMs = 10_000

/** Chats over TCP until `signal`, and gives what was heard. */
export async function chat(host: string, port: number, signal: AbortSignal): Promise<string[]> {
  const socket = connect({ host, port, noDelay: true })
  let heard = ''
  socket.setEncoding('utf8').on('data', (text: string) => {
    heard += text
  })
  socket.on('error', () => socket.destroy())
  await once(socket, 'connect', { signal: AbortSignal.timeout(connectTimeoutMs) })
  for (let line = 1; !signal.aborted && !socket.destroyed; line += 1) {
    socket.write(`hello number ${line}\n`)
    await delay(chatEveryMs, undefined, { signal }).catch(() => undefined)
  }
  socket.end()
  if (!socket.destroyed) await once(socket, 'close', { signal: AbortSignal.timeout(connectTimeoutMs) })
  return heard.split('\n').filter((line) => line !== '')
}

/** Sends positions over UDP until `signal`, and gives how many were answered. */
export async function move(host: string, port: number, signal: AbortSignal): Promise<number> {
  const socket = createSocket('udp4')
  let answers = 0
  socket.on('message', () => {
    answers += 1
  })
  socket.on('error', () => undefined)
  for (let step = 1; !signal.aborted; step += 1) {
    socket.send(`${step},${step}`, port, host)
    await delay(moveEveryMs, undefined, { signal }).catch(() => undefined)
  }
  socket.close()
  return answers
}
