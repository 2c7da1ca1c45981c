import type { Socket } from 'node:net'
import type { Throttle } from './throttle.js'

/**
 * Passes what `from` brings on to `to`, at once; `count` sees the bytes handed over. A slow `to` holds `from` back by TCP's own window,
 * with no more than Node's high-water mark between them; so does the throttle. An end is passed on when all before it is written.
 */
export function forward(from: Socket, to: Socket, count: (bytes: number) => void, throttle?: Throttle): void {
  let waitsForDrain = false
  let waitsForTurn = false

  const goOn = () => {
    if (!waitsForDrain && !waitsForTurn) from.resume()
  }
  const turn = () => {
    waitsForTurn = false
    goOn()
  }
  /** Gives back what may not pass yet, to be read again. */
  const passing = (chunk: Buffer, by: Throttle): Buffer => {
    const bytes = by.take(chunk.length, turn)
    if (bytes === chunk.length) return chunk
    waitsForTurn = true
    from.pause()
    from.unshift(chunk.subarray(bytes))
    return chunk.subarray(0, bytes)
  }

  from.on('data', (chunk: Buffer) => {
    const bytes = throttle === undefined || throttle.rate === 0 ? chunk : passing(chunk, throttle)
    if (bytes.length === 0) return
    count(bytes.length)
    if (to.write(bytes)) return
    waitsForDrain = true
    from.pause()
  })
  to.on('drain', () => {
    waitsForDrain = false
    goOn()
  })
  from.on('end', () => to.end())
  if (throttle !== undefined) from.on('close', () => throttle.leave(turn))
}
