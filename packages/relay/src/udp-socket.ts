import { createSocket, type Socket, type SocketOptions } from 'node:dgram'
import { lookup as resolve } from 'node:dns'
import { isIP } from 'node:net'

type Lookup = NonNullable<SocketOptions['lookup']>

/** Bursts come while JavaScript runs; what the kernel cannot hold meanwhile is lost. It may grant less. */
const RECEIVE_BUFFER_BYTES = 2 * 1024 * 1024

/** Answers for addresses at once: dgram asks for every datagram that is sent. */
const lookup: Lookup = (host, options, done) => {
  const family = isIP(host)
  if (family === 0) resolve(host, options, done)
  else done(null, host, family)
}

export function createUdpSocket(type: 'udp4' | 'udp6'): Socket {
  return createSocket({ type, lookup })
}

export function enlargeReceiveBuffer(socket: Socket): void {
  try {
    socket.setRecvBufferSize(RECEIVE_BUFFER_BYTES)
  } catch {
    // The default will do.
  }
}

/**
 * Gives the bound port, or rejects with the system's error. What fails later, in sending to one peer (a port that cannot be reached, a
 * datagram too large for the way), is not heard.
 */
export function bindUdp(socket: Socket, address: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    socket.once('error', reject)
    socket.bind({ address, port, exclusive: true }, () => {
      socket.off('error', reject)
      socket.on('error', ignore)
      enlargeReceiveBuffer(socket)
      resolve(socket.address().port)
    })
  })
}

/** False when it was dropped because the kernel takes no more. Errors come as the socket's 'error' event. */
export function sendBounded(socket: Socket, maxQueueBytes: number, send: () => void): boolean {
  try {
    if (socket.getSendQueueSize() > maxQueueBytes) return false
    send()
    return true
  } catch {
    // Closed meanwhile.
    return false
  }
}

function ignore(): void {}
