import { type ServerResponse, STATUS_CODES } from 'node:http'
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
  const { body, fields } = write({ problem, headers })
  const lines = Object.entries({ ...fields, connection: 'close' }).map(
    ([name, value]) => `${name}: ${value.replaceAll(/[\r\n]/g, ' ')}`,
  )
  const timer = setTimeout(() => socket.destroy(), answerTimeoutMs).unref()
  socket.once('close', () => clearTimeout(timer))
  socket.once('finish', () => socket.destroy())
  socket.end(
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? 'Error'}\r\n${lines.join('\r\n')}\r\n\r\n${body}`,
  )
}

/** Answers a request that does not go through the routes. */
export function answerOnResponse(response: ServerResponse, answer: ProblemAnswer): void {
  const { body, fields } = write(answer)
  response.writeHead(answer.problem.status, fields).end(body)
}

function write({ problem, headers }: ProblemAnswer): { body: string; fields: Record<string, string> } {
  const body = JSON.stringify(problem)
  const fields = {
    ...securityHeaders,
    ...apiHeaders,
    ...headers,
    'x-request-id': problem.requestId,
    'content-type': problemType,
    'content-length': String(Buffer.byteLength(body)),
  }
  return { body, fields }
}
