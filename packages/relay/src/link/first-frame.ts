import type { Socket } from 'node:net'
import { type Frame, FrameReader } from './frame.js'
import { MAX_HANDSHAKE_BYTES } from './protocol.js'

/** `unanswered`: it ended without a byte; a relay that is full does that, and one that is dialled without the TLS it wants. */
export type NoFrame = 'timeout' | 'closed' | 'unanswered' | 'protocol'

/**
 * Reads one bounded frame in bounded time. Calls back once: with the frame, when the rest is unshifted and the socket paused, or with
 * undefined, and why, when there will be none. Gives what calls it off.
 */
export function readFirstFrame(
  socket: Socket,
  timeoutMs: number,
  done: (frame: Frame | undefined, failure?: NoFrame) => void,
): () => void {
  const reader = new FrameReader(MAX_HANDSHAKE_BYTES)
  let heard = false
  const stop = () => {
    clearTimeout(timer)
    socket.off('data', take).off('end', ended).off('close', ended)
  }
  const finish = (frame: Frame | undefined, failure?: NoFrame) => {
    stop()
    done(frame, failure)
  }
  const ended = () => finish(undefined, heard ? 'closed' : 'unanswered')
  const take = (chunk: Buffer) => {
    heard = true
    const read = reader.read(chunk, 0)
    if (read.status === 'more') return
    if (read.status === 'error') return finish(undefined, 'protocol')
    socket.pause()
    if (read.next < chunk.length) socket.unshift(chunk.subarray(read.next))
    finish(read.frame)
  }
  const timer = setTimeout(() => finish(undefined, 'timeout'), timeoutMs)
  socket.on('data', take).on('end', ended).on('close', ended)
  socket.resume()
  return stop
}
