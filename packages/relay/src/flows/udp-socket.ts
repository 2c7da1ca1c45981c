import { createSocket, type Socket, type SocketOptions } from 'node:dgram'
import { lookup as resolve } from 'node:dns'
import { isIP } from 'node:net'

type Lookup = NonNullable<SocketOptions['lookup']>

/** Bursts come while JavaScript runs; what the kernel cannot hold meanwhile is lost. It may grant less. */
const RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024
/** So much may be sent before the queue is looked at again. */
const CHECK_BYTES = 65_536
/** Counted for each datagram over its bytes, since an empty one takes memory too. */
const SEND_OVERHEAD_BYTES = 64

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

/** Only the target's datagrams come and `send` needs no address. Rejects with the system's error. @param source to bind first */
export async function connectUdp(socket: Socket, port: number, address: string, source?: string): Promise<void> {
  if (source !== undefined) await bindUdp(socket, source, 0)
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject)
    socket.connect(port, address, (error?: Error) => {
      socket.off('error', reject)
      if (error) reject(error)
      else resolve()
    })
  })
  socket.on('error', ignore)
  enlargeReceiveBuffer(socket)
}

/** Sends while the kernel takes it. What fails otherwise comes as the socket's 'error' event. */
export class BoundedSender {
  readonly #socket: Socket
  readonly #maxQueueBytes: number
  #unchecked = 0

  constructor(socket: Socket, maxQueueBytes: number) {
    this.#socket = socket
    this.#maxQueueBytes = maxQueueBytes
  }

  /** To the peer of a connected socket when no address is given. The payload must stay as it is. False: dropped. */
  send(payload: Uint8Array, port?: number, address?: string): boolean {
    try {
      if (this.#unchecked >= CHECK_BYTES) {
        if (this.#socket.getSendQueueSize() > this.#maxQueueBytes) return false
        this.#unchecked = 0
      }
      this.#unchecked += payload.length + SEND_OVERHEAD_BYTES
      if (port === undefined) this.#socket.send(payload)
      else this.#socket.send(payload, port, address)
      return true
    } catch {
      // Closed meanwhile.
      return false
    }
  }
}

function ignore(): void {}
