import type { RejectError } from './agent-types.js'
import type { AllowList } from './allow-rule.js'
import type { ConnectionRecord } from './connection-record.js'
import type { Exchange } from './data-connection.js'
import type { AgentLimits } from './limits.js'
import type { LocalSources } from './local-source.js'
import type { StartMessage } from './protocol.js'
import { dialTarget } from './target.js'

/** One player to be served over TCP. */
export interface TcpRequest {
  message: StartMessage
  exchange: Exchange
  allowed: AllowList
  sources: LocalSources
  limits: AgentLimits
  record: ConnectionRecord
  /** Aborted when the agent stops: nothing more is dialled. */
  signal: AbortSignal
  /** The exchanges that are cut then; a set, since a signal looks through all who listen whenever one comes or goes. */
  present: Set<Exchange>
  /** The target was not reached. */
  refused: (error: RejectError) => void
  reached: () => void
}

/** Dials the target and joins it to the exchange. Resolves when it is closed; never rejects. */
export async function serveTcp(request: TcpRequest): Promise<void> {
  const { message, exchange, allowed, sources, limits, record, signal, present } = request
  const { target, remoteAddress } = message
  const dialled = await dialTarget(target, allowed, limits.targetTimeoutMs, signal, { remoteAddress, sources })
  if (!dialled.ok) {
    request.refused(dialled.error)
    exchange.refuse(dialled.error)
    return
  }
  request.reached()
  exchange.accept()
  record.open()
  present.add(exchange)
  await new Promise<void>((resolve) => {
    exchange.join(dialled.value, {
      onBytes: (fromTarget, fromPlayer) => record.count(fromPlayer, fromTarget),
      onClose: (reason) => {
        present.delete(exchange)
        record.close(reason)
        resolve()
      },
    })
    if (signal.aborted) exchange.cut()
  })
}
