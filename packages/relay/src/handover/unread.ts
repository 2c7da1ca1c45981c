import type { Socket } from 'node:net'

interface Handle {
  reading: boolean
  readStop(): number
}

/** A player as he goes to another process: what Node has read of him goes along. */
export interface HandedPlayer {
  allocationId: number
  /** Base64; undefined: nothing. */
  said?: string
}

/**
 * What Node has read of a player whom nobody serves. From here on nothing more is read: until the other process has acknowledged the socket
 * Node throws away what comes in this one, unless its inner handle is stopped, for which there is no documented way.
 */
export function describePlayer(allocationId: number, socket: Socket): HandedPlayer {
  const said = socket.read() as Buffer | null
  const handle = (socket as { _handle?: Partial<Handle> | null })._handle
  if (typeof handle?.readStop === 'function') {
    handle.reading = false
    handle.readStop()
  }
  return said === null ? { allocationId } : { allocationId, said: said.toString('base64') }
}
