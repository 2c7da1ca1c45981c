import { readSync } from 'node:fs'
import type { Socket } from 'node:net'

type Insides = Socket & { _handle?: { fd?: unknown } | null }

const ONE_BYTE: Buffer = Buffer.alloc(1)

/**
 * Whether the 'end' that a TCP socket has read was a reset. When data and a reset come in one poll, libuv tells of an end behind the data
 * instead (its shortcut on POLLHUP), but leaves the system's error unread: reading once more brings it, and nothing after a true end. This
 * reaches into Node's insides for the descriptor; where there is none (Windows, whose libuv has no such shortcut), an end is an end.
 */
export function wasReset(socket: Socket): boolean {
  const fd = (socket as Insides)._handle?.fd
  if (typeof fd !== 'number' || fd < 0) return false
  try {
    // What comes now cannot be passed on any more.
    return readSync(fd, ONE_BYTE, 0, 1, null) > 0
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'EAGAIN'
  }
}
