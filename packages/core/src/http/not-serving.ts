import { randomUUID } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { coreErrors } from '../errors.js'
import type { SallyportError } from '../kernel/errors.js'
import { type ProblemAnswer, renderProblem } from './problem.js'
import { answerOnResponse, answerOnSocket } from './raw-answer.js'

/** Seconds after which it is worth trying again. */
const retryAfter = 1

/** Answers a request to a kernel that is not started, or no more. */
export function answerNotServing(response: ServerResponse): void {
  answerOnResponse(response, rendered())
}

/** The same for an upgrade. */
export function refuseUpgradeNotServing(socket: Duplex): void {
  // Node takes its own listener away before it hands the socket out.
  socket.on('error', () => socket.destroy())
  answerOnSocket(socket, rendered())
}

/** What a host's own route is told that asks who it is. */
export function notServing(): SallyportError {
  return coreErrors.UNAVAILABLE({ reason: 'The panel is not running' }, { retryAfter })
}

function rendered(): ProblemAnswer {
  return renderProblem(notServing(), randomUUID(), '')
}
