import type { Duplex } from 'node:stream'
import { coreErrors } from '../errors.js'
import type { SallyportError } from '../kernel/errors.js'
import type { HttpEngine } from './engine.js'
import { problemOf } from './error-answer.js'
import { answerOnSocket } from './raw-answer.js'

/** Answers what never became a request: malformed HTTP, headers without end, a request that trickles in. */
export function answerClientError(engine: HttpEngine, error: NodeJS.ErrnoException, socket: Duplex, id: string): void {
  const answered = (socket as { _httpMessage?: { headersSent?: boolean } | null })._httpMessage?.headersSent === true
  if (answered || error.code === 'ECONNRESET' || error.code === 'EPIPE' || !socket.writable) {
    socket.destroy()
    return
  }
  const refusal = refusalFor(error.code ?? '')
  engine.logger.debug({ requestId: id, code: error.code, status: refusal.status }, 'malformed request')
  answerOnSocket(socket, problemOf(engine, refusal, id, engine.bodyLimit))
}

function refusalFor(code: string): SallyportError {
  if (code === 'HPE_HEADER_OVERFLOW') return coreErrors.HEADERS_TOO_LARGE()
  if (code === 'HPE_CHUNK_EXTENSIONS_OVERFLOW') return coreErrors.BAD_REQUEST({ reason: 'The chunks are not valid' })
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return coreErrors.REQUEST_TIMEOUT()
  return coreErrors.BAD_REQUEST({ reason: 'This is not valid HTTP' })
}
