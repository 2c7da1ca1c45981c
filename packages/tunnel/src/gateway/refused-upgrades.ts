import { coreErrors, type UpgradeContext } from '@sallyport/core'
import { ControlCloseCode } from '@sallyport/relay'
import type { WebSocket, WebSocketServer } from 'ws'

/** Closes control channels that come without a good token. */
export interface RefusedUpgrades {
  /** Accepts and closes with 4401; when too many are doing so, answers 401 instead. */
  refuse(context: UpgradeContext): void
  /** Resolves when all are gone. */
  idle(): Promise<void>
}

const maxClosing = 256
const closeGraceMs = 1_000

export function createRefusals(server: WebSocketServer): RefusedUpgrades {
  const closing = new Set<Promise<void>>()

  const close = (socket: WebSocket): void => {
    const gone = new Promise<void>((resolve) => {
      const breakOff = setTimeout(() => socket.terminate(), closeGraceMs)
      socket.once('close', () => {
        clearTimeout(breakOff)
        resolve()
      })
    })
    closing.add(gone)
    void gone.then(() => closing.delete(gone))
    socket.on('error', () => undefined)
    socket.send(JSON.stringify({ type: 'error', error: 'bad_token', detail: 'the device token is not valid' }))
    socket.close(ControlCloseCode.badToken, 'bad_token')
  }

  return {
    refuse(context) {
      if (closing.size >= maxClosing) context.refuse(coreErrors.INVALID_CREDENTIALS())
      else server.handleUpgrade(context.request, context.socket, context.head, close)
    },
    async idle() {
      await Promise.all(closing)
    },
  }
}
