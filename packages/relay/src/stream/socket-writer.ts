import type { Socket } from 'node:net'

/** More waits in the socket than should: 'drain' will come. */
export function isBlocked(socket: Socket): boolean {
  // Node also says so of a large write that the system took at once.
  return socket.writableNeedDrain && socket.writableLength > 0
}

/**
 * False: write no more before 'drain'. With `lent`: `bytes` are the writer's until then, too; it is `onDrain` that is called when they are
 * too few for Node to tell.
 */
export function writeBytes(socket: Socket, bytes: Buffer, lent: boolean, onDrain: () => void): boolean {
  const small = lent && bytes.length < socket.writableHighWaterMark
  if (small) socket.write(bytes, onDrain)
  else socket.write(bytes)
  return lent ? socket.writableLength === 0 : !isBlocked(socket)
}
