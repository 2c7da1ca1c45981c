import type { Socket } from 'node:net'
import { type Frame, FrameReader } from './frame.js'
import { MAX_HANDSHAKE_BYTES } from './protocol.js'

/**
 * Reads one bounded frame in bounded time. Calls back once: with the frame, when the rest is unshifted and the socket paused, or with
 * undefined when there will be none. Gives what calls it off.
 */
export function readFirstFrame(
  socket: Socket,
  timeoutMs: number,
  done: (frame: Frame | undefined) => void,
): () => void {
  const reader = new FrameReader(MAX_HANDSHAKE_BYTES)
  const stop = () => {
    clearTimeout(timer)
    socket.off('data', take).off('end', giveUp).off('close', giveUp)
  }
  const finish = (frame: Frame | undefined) => {
    stop()
    done(frame)
  }
  const giveUp = () => finish(undefined)
  const take = (chunk: Buffer) => {
    const read = reader.read(chunk, 0)
    if (read.status === 'more') return
    if (read.status === 'error') return giveUp()
    socket.pause()
    if (read.next < chunk.length) socket.unshift(chunk.subarray(read.next))
    finish(read.frame)
  }
  const timer = setTimeout(giveUp, timeoutMs)
  socket.on('data', take).on('end', giveUp).on('close', giveUp)
  socket.resume()
  return stop
}
