import type { Socket } from 'node:net'
import { BufferReader } from './buffer-reader.js'
import { ownBuffers } from './own-buffers.js'

export interface ByteTaker {
  /**
   * Deals with bytes and says how many of them: when not with all, reading stops until `resume`, and the rest comes again.
   * `kept`: they are the taker's. Otherwise they are the reader's again when the call is over, unless reading is held: then at `resume`.
   */
  take(bytes: Buffer, kept: boolean): number
  /** When all is taken. */
  takeEnd(): void
}

/** Reads a socket in bounded portions and can be held at any byte. */
export interface SocketReader {
  /** So many bytes in front of those that are taken may be written to; as many as were asked for, or none. */
  readonly headroom: number
  readonly held: boolean
  /** Reads nothing for now. */
  hold(): void
  resume(): void
  /** From within the taking: this is how much the next read had best bring, when there is as much. */
  want(bytes: number): void
  /** Bytes that are not kept are still needed when it reads on. */
  abandon(): void
}

/** Takes the reading of a connected socket over, held. What was read and unshifted before comes first. */
export function readSocket(socket: Socket, headroom: number, taker: ByteTaker): SocketReader {
  const buffers = ownBuffers(socket)
  if (buffers === undefined) return new EventReader(socket, taker)
  return new BufferReader(socket, headroom, buffers, taker)
}

/** On 'data' events, each of which brings a buffer of its own. What is not taken is unshifted. */
export class EventReader implements SocketReader {
  readonly headroom = 0
  readonly #socket: Socket

  constructor(socket: Socket, taker: ByteTaker) {
    this.#socket = socket
    socket.pause()
    socket.on('end', () => taker.takeEnd())
    socket.on('data', (bytes: Buffer) => {
      const taken = taker.take(bytes, true)
      if (taken === bytes.length) return
      socket.pause()
      socket.unshift(bytes.subarray(taken))
    })
  }

  get held(): boolean {
    return this.#socket.isPaused()
  }

  hold(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  want(): void {}

  abandon(): void {}
}
