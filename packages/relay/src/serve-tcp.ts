import type { PlayerRequest } from './player-request.js'
import { splice } from './splice.js'
import { dialTarget } from './target.js'

/** Dials the target, then the relay, and splices. Resolves when both sockets are closed; never rejects. */
export async function serveTcp(request: PlayerRequest): Promise<void> {
  const { message, allowed, limits, record, signal } = request
  const dialled = await dialTarget(message.target, allowed, limits.targetTimeoutMs, signal)
  if (!dialled.ok) return request.refuse(dialled.error)
  request.reached()
  const stream = request.openStream()
  stream.once('connect', () => record.open())
  await new Promise<void>((resolve) => {
    const spliced = splice(stream, dialled.value, {
      flushTimeoutMs: limits.flushTimeoutMs,
      onBytes: (fromPlayer, fromTarget) => record.count(fromPlayer, fromTarget),
      onClose: (reason) => {
        signal.removeEventListener('abort', spliced.cut)
        record.close(reason)
        resolve()
      },
    })
    signal.addEventListener('abort', spliced.cut)
    if (signal.aborted) spliced.cut()
  })
}
