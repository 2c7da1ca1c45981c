import { Socket as UdpSocket } from 'node:dgram'
import { Server, Socket } from 'node:net'
import { RelayError } from '../errors.js'
import { resetSocket } from '../stream/reset-socket.js'

/**
 * One end of an IPC channel that carries handles: in the parent the ChildProcess of a `fork`, in the child `process`. Other messages may
 * pass over it too. Secrets go over it: it must join nobody but the two processes.
 */
export interface HandOverChannel {
  readonly connected: boolean
  send?(message: unknown, handle: unknown, options: undefined, callback: (error: Error | null) => void): boolean
  on(event: 'message', handler: (message: unknown, handle: unknown) => void): unknown
  on(event: 'disconnect' | 'exit', handler: () => void): unknown
  off(event: 'message', handler: (message: unknown, handle: unknown) => void): unknown
  off(event: 'disconnect' | 'exit', handler: () => void): unknown
}

const MARK = 'sallyport-relay-handover'
const VERSION = 1

/** From either side; `body` is the kind's own. */
export const HAND_OVER_KINDS = [
  'offer',
  'ask',
  'state',
  'socket',
  'sockets_sent',
  'ready',
  'commit',
  'abort',
  'failed',
  'player',
  'traffic',
  'connection',
  'done',
  'change',
  'cut_device',
] as const
export type HandOverKind = (typeof HAND_OVER_KINDS)[number]

export type HandedHandle = Server | Socket | UdpSocket

export interface HandOverMessage {
  kind: HandOverKind
  body: unknown
  /** Open, and in use by Node: a server has begun to accept. */
  handle: HandedHandle | undefined
}

export interface HandOverLineHandlers {
  /** True: it has taken the handle; otherwise that is closed, since it would take players from whoever goes on. */
  onMessage: (message: HandOverMessage) => boolean
  /** Once: the other process is gone, or speaks another version. */
  onEnd: (why: string) => void
}

/** This module's messages on a channel, among a host's own. */
export class HandOverLine {
  readonly #channel: HandOverChannel
  #handlers: HandOverLineHandlers
  /** Who waits for what is not written yet. Node forgets what is queued behind a handle when the other process is gone. */
  readonly #unsent: Set<(sent: boolean) => void> = new Set()
  #closed = false

  constructor(channel: HandOverChannel, handlers: HandOverLineHandlers) {
    this.#channel = channel
    this.#handlers = handlers
    channel.on('message', this.#take)
    channel.on('disconnect', this.#onDisconnect)
    // A parent does not hear of the former while a handle is under way to a child that is gone.
    channel.on('exit', this.#onDisconnect)
    if (!channel.connected) queueMicrotask(this.#onDisconnect)
  }

  /** For another part of the procedure. */
  handle(handlers: HandOverLineHandlers): void {
    this.#handlers = handlers
  }

  /** Resolves when it is written, or never will be. @param handle a server or socket, which stays open here unless it is a TCP socket */
  send(kind: HandOverKind, body: unknown = null, handle?: unknown): Promise<boolean> {
    return new Promise((resolve) => {
      const { connected } = this.#channel
      if (this.#closed || !connected || this.#channel.send === undefined) {
        resolve(false)
        return
      }
      const message = { mark: MARK, version: VERSION, kind, body }
      this.#unsent.add(resolve)
      this.#channel.send(message, handle, undefined, (error) => {
        this.#unsent.delete(resolve)
        resolve(error === null || error === undefined)
      })
    })
  }

  /** Hears nothing more, and waits for nothing more to be written. The channel is its owner's to close. */
  close(): void {
    this.#closed = true
    this.#channel.off('message', this.#take)
    this.#channel.off('disconnect', this.#onDisconnect)
    this.#channel.off('exit', this.#onDisconnect)
    for (const resolve of this.#unsent) resolve(false)
    this.#unsent.clear()
  }

  readonly #take = (value: unknown, given: unknown): void => {
    if (typeof value !== 'object' || value === null) return
    const { mark, version, kind, body } = value as { mark?: unknown; version?: unknown; kind?: unknown; body?: unknown }
    if (mark !== MARK) return
    const handle = isHandle(given) ? given : undefined
    const known = version === VERSION && HAND_OVER_KINDS.includes(kind as HandOverKind)
    const taken = known && this.#handlers.onMessage({ kind: kind as HandOverKind, body, handle })
    if (!taken && handle !== undefined) closeHandle(handle)
    if (version !== VERSION) this.#end('the other process speaks another version')
  }

  readonly #onDisconnect = (): void => this.#end('the other process is gone')

  #end(why: string): void {
    if (this.#closed) return
    this.close()
    this.#handlers.onEnd(why)
  }
}

function isHandle(value: unknown): value is HandedHandle {
  return value instanceof Server || value instanceof Socket || value instanceof UdpSocket
}

/** What nobody takes. */
export function closeHandle(handle: HandedHandle): void {
  handle.on('error', () => {})
  if (handle instanceof Socket) {
    resetSocket(handle)
    return
  }
  try {
    handle.close()
  } catch {
    // It is closed.
  }
}

export function handOverFailed(why: string): RelayError {
  return new RelayError('RELAY_ERR_HANDOVER_FAILED', why)
}
