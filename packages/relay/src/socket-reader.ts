import type { Socket } from 'node:net'
import { BufferReader } from './buffer-reader.js'
import { ownBuffers } from './own-buffers.js'

/**
 * Deals with bytes and says how many of them: when not with all, reading stops until `resume`, and the rest comes again.
 * `kept`: they are the taker's. Otherwise they are the reader's again when the call is over, unless reading is held: then at `resume`.
 */
export type TakeBytes = (bytes: Buffer, kept: boolean) => number

/** Reads a socket in bounded portions and can be held at any byte. */
export interface SocketReader {
  /** So many bytes in front of those that are taken may be written to; as many as were asked for, or none. */
  readonly headroom: number
  /** Reads nothing for now. */
  hold(): void
  resume(): void
  /** From within the taking: this is how much the next read had best bring, when there is as much. */
  want(bytes: number): void
}

/** Takes the reading of a connected socket over, held. What was read and unshifted before comes first; `onEnd` when all is taken. */
export function readSocket(socket: Socket, headroom: number, take: TakeBytes, onEnd: () => void): SocketReader {
  const buffers = ownBuffers(socket)
  if (buffers === undefined) return new EventReader(socket, take, onEnd)
  return new BufferReader(socket, headroom, buffers, take, onEnd)
}

/** On 'data' events, each of which brings a buffer of its own. What is not taken is unshifted. */
export class EventReader implements SocketReader {
  readonly headroom = 0
  readonly #socket: Socket

  constructor(socket: Socket, take: TakeBytes, onEnd: () => void) {
    this.#socket = socket
    socket.pause()
    socket.on('end', onEnd)
    socket.on('data', (bytes: Buffer) => {
      const taken = take(bytes, true)
      if (taken === bytes.length) return
      socket.pause()
      socket.unshift(bytes.subarray(taken))
    })
  }

  hold(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  want(): void {}
}
