import { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'

/**
 * Node allocates 64 KiB for each read of a socket, shrinks it to what came and leaves it to the garbage collector: half of what passing
 * bytes on costs. Its way around that, `onread`, is documented for sockets one connects, and not for accepted ones. What `onread` does is the
 * same for both, so here it is done to any connected socket. It reaches into Node's insides: when they don't look as expected, there is
 * `undefined`, and the reader uses 'data' events.
 */
export interface OwnBuffers {
  /** From now on reads go into `buffer`. */
  install(buffer: Buffer, user: BufferUser): void
  /** Between reads. Costs a few bytes each time, until the socket is closed. */
  replace(buffer: Buffer): void
  start(): void
  stop(): void
  /** What TLS deciphered of one read comes in several portions, even when stopped in between. */
  readonly portions: boolean
}

export interface BufferUser {
  /** Gives the buffer for the next read, or undefined for the same. */
  onRead(bytes: number): Buffer | undefined
}

interface Handle {
  reading: boolean
  readStart(): number
  readStop(): number
  useUserBuffer(buffer: Uint8Array): void
}

interface Fields {
  buffer: symbol
  callback: symbol
  generator: symbol
}

type Insides = Socket & { _handle?: Partial<Handle> | null } & Record<symbol, unknown>

export function ownBuffers(socket: Socket): OwnBuffers | undefined {
  const fields = fieldsOf(socket)
  const handle = (socket as Insides)._handle
  if (fields === undefined || !isHandle(handle)) return undefined
  return new NodeBuffers(socket as Insides, handle, fields)
}

function isHandle(handle: Partial<Handle> | null | undefined): handle is Handle {
  return (
    typeof handle?.readStart === 'function' &&
    typeof handle.readStop === 'function' &&
    typeof handle.useUserBuffer === 'function'
  )
}

const NAMES: Fields | undefined = findFields(new Socket())

function findFields(socket: Socket): Fields | undefined {
  const named = (name: string) => {
    const found = Object.getOwnPropertySymbols(socket).filter((symbol) => symbol.description === name)
    return found.length === 1 ? found[0] : undefined
  }
  const [buffer, callback, generator] = [named('kBuffer'), named('kBufferCb'), named('kBufferGen')]
  if (buffer === undefined || callback === undefined || generator === undefined) return undefined
  return { buffer, callback, generator }
}

/** Undefined also for a socket that has an `onread` of its own. */
function fieldsOf(socket: Socket): Fields | undefined {
  const insides = socket as Insides
  return NAMES !== undefined && insides[NAMES.buffer] === null ? NAMES : undefined
}

const USER: unique symbol = Symbol('buffer user')

/**
 * Between two functions that Node calls one right behind the other, the second without a `this`; nothing stays in it. A pair of them
 * for each socket would be more memory for each.
 */
const given: { next: Buffer | undefined } = { next: undefined }

function onRead(this: Insides, bytes: number): void {
  given.next = (this[USER] as BufferUser).onRead(bytes)
}

function giveNext(): Buffer | undefined {
  const { next } = given
  given.next = undefined
  return next
}

class NodeBuffers implements OwnBuffers {
  readonly portions: boolean
  readonly #socket: Insides
  readonly #handle: Handle
  readonly #fields: Fields

  constructor(socket: Insides, handle: Handle, fields: Fields) {
    this.#socket = socket
    this.#handle = handle
    this.#fields = fields
    this.portions = socket instanceof TLSSocket
  }

  install(buffer: Buffer, user: BufferUser): void {
    this.#socket[USER] = user
    this.#socket[this.#fields.callback] = onRead
    this.#socket[this.#fields.generator] = giveNext
    this.replace(buffer)
  }

  replace(buffer: Buffer): void {
    if (this.#socket.destroyed) return
    this.#socket[this.#fields.buffer] = buffer
    this.#handle.useUserBuffer(buffer)
  }

  start(): void {
    if (this.#socket.destroyed || this.#handle.reading) return
    this.#handle.reading = true
    const failed = this.#handle.readStart()
    if (failed !== 0) this.#socket.destroy(new Error(`reading failed: ${failed}`))
  }

  stop(): void {
    if (this.#socket.destroyed || !this.#handle.reading) return
    this.#handle.reading = false
    this.#handle.readStop()
  }
}
