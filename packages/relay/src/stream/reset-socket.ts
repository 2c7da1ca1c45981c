import type { Socket } from 'node:net'

/**
 * Closes a TCP socket with RST. Node's own `resetAndDestroy` fails while the socket is being shut down, and then never closes it: in that moment
 * this waits until it is.
 */
export function resetSocket(socket: Socket): void {
  if (socket.destroyed) return
  // Node waits for a connect before it resets.
  if (socket.connecting) socket.destroy()
  else if (socket.writableEnded && !socket.writableFinished && socket.writableLength === 0) {
    if (socket.listeners('finish').includes(onFinish)) return
    socket.once('finish', onFinish)
  } else socket.resetAndDestroy()
}

function onFinish(this: Socket): void {
  resetSocket(this)
}
