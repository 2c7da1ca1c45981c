import type { Socket } from 'node:net'
import { FRAME_HEADER_BYTES } from '../link/frame.js'
import { FrameType, MAX_CHUNK_BYTES } from '../link/protocol.js'
import { isBlocked } from './socket-writer.js'

/** The CHUNK whose payload is `bytes`, with its header written into the memory in front of them. */
export function frameInPlace(bytes: Buffer): Buffer {
  const frame = Buffer.from(bytes.buffer, bytes.byteOffset - FRAME_HEADER_BYTES, FRAME_HEADER_BYTES + bytes.length)
  putHeader(frame, bytes.length)
  return frame
}

/** In as many CHUNKs as it takes. False: write no more before 'drain'. */
export function writeChunks(socket: Socket, bytes: Buffer): boolean {
  for (let at = 0; at < bytes.length; at += MAX_CHUNK_BYTES) {
    const part = bytes.subarray(at, at + MAX_CHUNK_BYTES)
    const header = Buffer.allocUnsafe(FRAME_HEADER_BYTES)
    putHeader(header, part.length)
    socket.cork()
    socket.write(header)
    socket.write(part)
    socket.uncork()
  }
  return !isBlocked(socket)
}

function putHeader(frame: Buffer, length: number): void {
  frame[0] = FrameType.CHUNK
  frame.writeUInt32BE(length, 1)
}
