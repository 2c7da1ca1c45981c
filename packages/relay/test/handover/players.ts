import { createHash, randomBytes } from 'node:crypto'
import { createSocket, type Socket as UdpSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect, isIPv6, type Socket } from 'node:net'
import { within } from '../support.js'

interface Teardown {
  teardown(handler: () => unknown): void
}

/** A public port, and where it is bound. */
export interface Door {
  port: number
  host: string
}

const CHUNK_BYTES = 4_096
const EVERY_MS = 5

/** Writes to an echo until told to end; then both digests must be the same. */
export class StreamingPlayer {
  readonly #socket: Socket
  readonly #sent = createHash('sha256')
  readonly #received = createHash('sha256')
  readonly #timer: NodeJS.Timeout
  readonly #over: Promise<void>
  sentBytes = 0
  receivedBytes = 0
  error: string | undefined

  constructor(t: Teardown, { port, host }: Door) {
    this.#socket = connect({ port, host, allowHalfOpen: true })
    t.teardown(() => this.#socket.destroy())
    this.#socket.on('error', (error: NodeJS.ErrnoException) => {
      this.error = error.code ?? 'error'
    })
    this.#socket.on('data', (chunk: Buffer) => {
      this.#received.update(chunk)
      this.receivedBytes += chunk.length
    })
    this.#timer = setInterval(() => this.#write(), EVERY_MS)
    this.#over = new Promise<void>((resolve) =>
      this.#socket.on('close', () => {
        clearInterval(this.#timer)
        resolve()
      }),
    )
  }

  /** Resolves with what was wrong, if anything. */
  async end(): Promise<string | undefined> {
    clearInterval(this.#timer)
    this.#socket.end()
    await this.#over
    if (this.error !== undefined) return this.error
    return this.#sent.digest('hex') === this.#received.digest('hex') ? undefined : 'another digest'
  }

  #write(): void {
    if (this.#socket.writableLength > CHUNK_BYTES * 4) return
    const chunk = randomBytes(CHUNK_BYTES)
    this.#sent.update(chunk)
    this.sentBytes += chunk.length
    this.#socket.write(chunk)
  }
}

/** Comes, has a few bytes said back and leaves. Gives the bytes, or rejects. */
export async function visit(t: Teardown, { port, host }: Door): Promise<number> {
  const socket = connect({ port, host, allowHalfOpen: true })
  t.teardown(() => socket.destroy())
  const said = randomBytes(100)
  const heard: Buffer[] = []
  socket.on('data', (chunk: Buffer) => heard.push(chunk))
  socket.end(said)
  await within(once(socket, 'end'), 'the end of a visit')
  if (!Buffer.concat(heard).equals(said))
    throw new Error(`heard ${Buffer.concat(heard).length} bytes of ${said.length}`)
  return said.length
}

/** Numbered datagrams to an echo. */
export class DatagramPlayer {
  readonly #socket: UdpSocket
  readonly #timer: NodeJS.Timeout
  readonly received: Set<number> = new Set()
  sent = 0

  constructor(t: Teardown, { port, host }: Door) {
    this.#socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4')
    t.teardown(() => this.#close())
    this.#socket.on('message', (payload) => this.received.add(payload.readUInt32BE(0)))
    this.#timer = setInterval(() => {
      const payload = Buffer.alloc(64)
      payload.writeUInt32BE(this.sent)
      this.sent += 1
      this.#socket.send(payload, port, host)
    }, 10)
  }

  get lost(): number {
    return this.sent - this.received.size
  }

  pause(): void {
    clearInterval(this.#timer)
  }

  #close(): void {
    this.pause()
    this.#socket.close()
  }
}
