import type { Socket } from 'node:net'
import type { RejectError } from '../agent-types.js'
import type { AgentLimits } from '../limits.js'
import type { StartMessage } from '../link/protocol.js'
import type { ConnectionRecord } from '../players/connection-record.js'
import type { Exchange } from '../stream/data-connection.js'
import { resetSocket } from '../stream/reset-socket.js'
import type { AllowList } from './allow-rule.js'
import type { LocalSources } from './local-source.js'
import { dialTarget } from './target.js'

/** One player to be served over TCP. */
export interface TcpRequest {
  message: StartMessage
  exchange: Exchange
  allowed: AllowList
  sources: LocalSources
  limits: AgentLimits
  record: ConnectionRecord
  /** The target was not reached. */
  refused: (error: RejectError) => void
  reached: () => void
  /** Once, when nothing of this player is left. */
  onGone: () => void
}

/** Dials the target, unless the player leaves meanwhile, and joins it to the exchange. Never rejects. */
export async function serveTcp(request: TcpRequest): Promise<void> {
  const { message, exchange, allowed, sources, limits, record, onGone } = request
  const { target, remoteAddress } = message
  const dialling = new AbortController()
  const { signal } = dialling
  exchange.onBroken = () => dialling.abort()
  const dialled = await dialTarget(target, allowed, limits.targetTimeoutMs, signal, { remoteAddress, sources })
  exchange.onBroken = undefined
  if (signal.aborted) {
    // Nobody is to be told.
    if (dialled.ok) resetSocket(dialled.value)
    onGone()
    return
  }
  if (!dialled.ok) {
    request.refused(dialled.error)
    exchange.refuse(dialled.error)
    onGone()
    return
  }
  request.reached()
  exchange.accept()
  record.open()
  join(request, dialled.value)
}

/** On its own, so that nothing of the dialling is kept as long as the player stays. */
function join({ exchange, record, onGone }: TcpRequest, near: Socket): void {
  exchange.join(near, {
    onBytes: (fromTarget, fromPlayer) => record.count(fromPlayer, fromTarget),
    onClose: (reason) => {
      record.close(reason)
      onGone()
    },
  })
}
