import { STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import { type ProblemAnswer, problemType } from './problem.js'
import { apiHeaders, securityHeaders } from './security-headers.js'

/** Longest wait for a peer to take an answer, in milliseconds. */
const answerTimeoutMs = 1_000

/** Answers on a bare socket, where there is no `ServerResponse`, and closes it. */
export function answerOnSocket(socket: Duplex, { problem, headers }: ProblemAnswer): void {
  if (socket.destroyed || !socket.writable) {
    socket.destroy()
    return
  }
  const body = JSON.stringify(problem)
  const fields = {
    ...securityHeaders,
    ...apiHeaders,
    ...headers,
    'x-request-id': problem.requestId,
    'content-type': problemType,
    'content-length': String(Buffer.byteLength(body)),
    connection: 'close',
  }
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value.replaceAll(/[\r\n]/g, ' ')}`)
  const timer = setTimeout(() => socket.destroy(), answerTimeoutMs).unref()
  socket.once('close', () => clearTimeout(timer))
  socket.once('finish', () => socket.destroy())
  socket.end(
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? 'Error'}\r\n${lines.join('\r\n')}\r\n\r\n${body}`,
  )
}
