import { RelayError } from '../errors.js'

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
export type HandOverKind =
  | 'offer'
  | 'ask'
  | 'state'
  | 'socket'
  | 'sockets_sent'
  | 'ready'
  | 'commit'
  | 'abort'
  | 'failed'
  | 'player'
  | 'traffic'
  | 'connection'
  | 'done'
  | 'change'
  | 'cut_device'

export interface HandOverMessage {
  kind: HandOverKind
  body: unknown
  handle: unknown
}

export interface HandOverLineHandlers {
  onMessage: (message: HandOverMessage) => void
  /** Once: the other process is gone, or speaks another version. */
  onEnd: (why: string) => void
}

/** This module's messages on a channel, among a host's own. */
export class HandOverLine {
  readonly #channel: HandOverChannel
  #handlers: HandOverLineHandlers
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

  get closed(): boolean {
    return this.#closed
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
      this.#channel.send(message, handle, undefined, (error) => resolve(error === null || error === undefined))
    })
  }

  /** Hears nothing more. The channel is its owner's to close. */
  close(): void {
    this.#closed = true
    this.#channel.off('message', this.#take)
    this.#channel.off('disconnect', this.#onDisconnect)
    this.#channel.off('exit', this.#onDisconnect)
  }

  readonly #take = (value: unknown, handle: unknown): void => {
    if (typeof value !== 'object' || value === null) return
    const { mark, version, kind, body } = value as { mark?: unknown; version?: unknown; kind?: unknown; body?: unknown }
    if (mark !== MARK) return
    if (version === VERSION) this.#handlers.onMessage({ kind: kind as HandOverKind, body, handle })
    else this.#end(`the other process speaks version ${String(version)}, this one ${VERSION}`)
  }

  readonly #onDisconnect = (): void => this.#end('the other process is gone')

  #end(why: string): void {
    if (this.#closed) return
    this.close()
    this.#handlers.onEnd(why)
  }
}

export function handOverFailed(why: string): RelayError {
  return new RelayError('RELAY_ERR_HANDOVER_FAILED', why)
}
