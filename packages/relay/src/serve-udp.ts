import type { Socket as UdpSocket } from 'node:dgram'
import { isIPv6 } from 'node:net'
import { DatagramReader } from './datagram-frame.js'
import { DatagramWriter } from './datagram-writer.js'
import type { PlayerRequest } from './player-request.js'
import type { CloseReason } from './relay-types.js'
import { resolveTarget } from './target.js'
import { createUdpSocket, sendBounded } from './udp-socket.js'

/** A UDP socket of its own for this player, connected to the target, and a data connection. Resolves when both are closed. */
export async function serveUdp(request: PlayerRequest): Promise<void> {
  const { message, allowed, limits } = request
  const resolved = await resolveTarget(message.target, allowed, limits.targetTimeoutMs)
  if (!resolved.ok) return request.refuse(resolved.error)
  // UDP does not say whether somebody is there, so the first address it is.
  const [address = ''] = resolved.value
  const socket = createUdpSocket(isIPv6(address) ? 'udp6' : 'udp4')
  if (!(await connectUdp(socket, address, message.target.port))) return request.refuse('target_unreachable')
  request.reached()
  await join(socket, request)
}

function connectUdp(socket: UdpSocket, address: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const failed = () => socket.close(() => resolve(false))
    socket.once('error', failed)
    socket.connect(port, address, (error?: Error) => {
      socket.off('error', failed)
      if (error) failed()
      else resolve(true)
    })
  })
}

function join(socket: UdpSocket, request: PlayerRequest): Promise<void> {
  const { limits, record, signal } = request
  const stream = request.openStream()
  const writer = new DatagramWriter(stream, limits.maxUdpBufferBytes)
  const reader = new DatagramReader()
  let lastActiveAt = performance.now()
  return new Promise((resolve) => {
    let closed = false
    const close = (reason: CloseReason) => {
      if (closed) return
      closed = true
      clearTimeout(idleTimer)
      signal.removeEventListener('abort', cut)
      stream.destroy()
      socket.close(() => {
        record.close(reason)
        if (stream.closed) resolve()
        else stream.once('close', resolve)
      })
    }
    const cut = () => close('cut')
    const checkIdle = () => {
      const leftMs = lastActiveAt + limits.udpIdleMs - performance.now()
      if (leftMs <= 0) close('idle')
      else idleTimer = setTimeout(checkIdle, leftMs)
    }
    let idleTimer = setTimeout(checkIdle, limits.udpIdleMs)
    // The target is not there (ECONNREFUSED) or not now; a game server that starts later is reached by the same flow.
    socket.on('error', ignore)
    socket.on('message', (payload) => {
      lastActiveAt = performance.now()
      if (!closed && writer.send(payload)) record.count(0, payload.length)
    })
    stream.once('connect', () => record.open())
    stream.on('data', (chunk: Buffer) => {
      lastActiveAt = performance.now()
      const valid = reader.read(chunk, (payload) => {
        if (!closed && sendBounded(socket, limits.maxUdpBufferBytes, () => socket.send(payload)))
          record.count(payload.length, 0)
      })
      if (!valid) close('reset')
    })
    stream.on('end', () => close('end'))
    stream.on('error', () => close('reset'))
    stream.on('close', () => close('reset'))
    signal.addEventListener('abort', cut)
    if (signal.aborted) cut()
  })
}

function ignore(): void {}
