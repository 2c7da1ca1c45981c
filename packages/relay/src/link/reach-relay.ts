import type { Socket } from 'node:net'
import { connectThrough } from '../proxy/connect-through.js'
import type { ProxyError } from '../proxy/proxy-error.js'
import { type DialRelayOptions, dialRelay, type RelayDoor } from './dial-relay.js'

export interface ReachRelayOptions extends Omit<DialRelayOptions, 'onReady'> {
  /** The way leads through this HTTP proxy; undefined: directly. */
  proxy?: URL | undefined
  /** Called once, as by `dialRelay`. The socket is the caller's, its errors too. */
  onReady: (socket: Socket) => void
  /** Instead of `onReady`: a DialErrorCode, a system error code, or 'closed'. */
  onFailed: (error: string) => void
}

/** A connection to the relay that is being made. */
export interface RelayDial {
  /** Resolves when nothing of it is left. Nothing is called any more. */
  cancel(): Promise<void>
}

/** A connection to the relay's data port, directly or through an HTTP proxy. See `dialRelay`. */
export function reachRelay(relay: RelayDoor, options: ReachRelayOptions): RelayDial {
  const { proxy, timeoutMs, onFailed } = options
  if (proxy === undefined) return new DirectDial(relay, options)
  const deadline = performance.now() + timeoutMs
  let dial: DirectDial | undefined
  const abandon = connectThrough({
    proxy,
    host: options.host ?? relay.host,
    port: options.port ?? relay.port,
    timeoutMs,
    onConnected: (through) => {
      dial = new DirectDial(relay, { ...options, through, timeoutMs: Math.max(1, deadline - performance.now()) })
    },
    onFailed: (error) => onFailed(codeOf(error)),
  })
  return {
    async cancel() {
      abandon()
      await dial?.cancel()
    },
  }
}

class DirectDial implements RelayDial {
  readonly #socket: Socket
  #over = false
  #cancelled: Promise<void> | undefined

  constructor(relay: RelayDoor, { onReady, onFailed, ...options }: Omit<ReachRelayOptions, 'proxy'>) {
    let error = 'closed'
    const socket = dialRelay(relay, {
      ...options,
      onReady: (ready) => {
        if (this.#over) return
        this.#over = true
        socket.off('close', failed).off('error', onError)
        onReady(ready)
      },
    })
    const onError = ({ code = 'error' }: NodeJS.ErrnoException) => {
      error = code
    }
    const failed = () => {
      if (this.#over) return
      this.#over = true
      onFailed(error)
    }
    this.#socket = socket.on('error', onError).on('close', failed)
  }

  cancel(): Promise<void> {
    this.#cancelled ??= this.#over ? Promise.resolve() : this.#cancel()
    return this.#cancelled
  }

  async #cancel(): Promise<void> {
    this.#over = true
    const socket = this.#socket
    socket.destroy()
    if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve))
  }
}

/** 'proxy_refused': it does not let through; 'proxy_failed': it does not get through itself; 'proxy_unreachable': there is none. */
function codeOf({ code }: ProxyError): string {
  if (code === 'ERR_PROXY_REFUSED' || code === 'ERR_PROXY_AUTHENTICATION') return 'proxy_refused'
  if (code === 'ERR_PROXY_UPSTREAM') return 'proxy_failed'
  return code === 'ERR_PROXY_TIMEOUT' ? 'timeout' : 'proxy_unreachable'
}
