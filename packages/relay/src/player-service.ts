import { setMaxListeners } from 'node:events'
import type { Socket } from 'node:net'
import type { AgentEvents, RejectError } from './agent-types.js'
import type { AllowList } from './allow-rule.js'
import { ConnectionRecord } from './connection-record.js'
import type { Emitter } from './emitter.js'
import { encodeFrame } from './frame.js'
import type { AgentLimits } from './limits.js'
import { Permits } from './permits.js'
import type { PlayerRequest } from './player-request.js'
import { encodeMessage, FrameType, type OpenMessage } from './protocol.js'
import type { Refusals } from './refusals.js'
import { serveTcp } from './serve-tcp.js'
import { serveUdp } from './serve-udp.js'
import { connectTcp } from './target.js'

interface PlayerServiceOptions {
  allowed: AllowList
  limits: AgentLimits
  events: Emitter<AgentEvents>
  refusals: Refusals
}

/** The agent's players: each OPEN becomes a connection to its target and a data connection, or a REJECT. */
export class PlayerService {
  readonly #options: PlayerServiceOptions
  readonly #permits: Permits
  readonly #stopping: AbortController = new AbortController()
  readonly #serving: Set<Promise<void>> = new Set()

  constructor(options: PlayerServiceOptions) {
    this.#options = options
    // Each player listens once; the permits are the bound.
    setMaxListeners(0, this.#stopping.signal)
    this.#permits = new Permits(options.limits.maxConnections)
  }

  serve(
    relayId: string,
    address: { host: string; port: number },
    message: OpenMessage,
    reject: (error: RejectError) => void,
  ): void {
    const { allowed, limits, events, refusals } = this.#options
    const release = this.#stopping.signal.aborted ? undefined : this.#permits.take()
    if (release === undefined) {
      reject('agent_busy')
      return
    }
    const { allocationId, protocol, target, remoteAddress, remotePort } = message
    const traffic = { allocationId, bytesIn: 0, bytesOut: 0, connections: 0, open: 0 }
    const record = new ConnectionRecord({ allocationId, protocol, remoteAddress, remotePort }, traffic, (event) => {
      const { phase } = event
      if (phase !== 'refused') events.emit('connection', { ...event, phase, relayId })
    })
    const request: PlayerRequest = {
      message,
      allowed,
      limits,
      record,
      signal: this.#stopping.signal,
      refuse: (error) => {
        refusals.note({ relayId, allocationId, protocol, target, error })
        reject(error)
      },
      reached: () => refusals.recovered(relayId, allocationId),
      openStream: () => openStream(address, message.token, limits.relayTimeoutMs),
    }
    const served = (protocol === 'tcp' ? serveTcp(request) : serveUdp(request)).finally(() => {
      release()
      this.#serving.delete(served)
    })
    this.#serving.add(served)
  }

  /** Cuts everyone. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await Promise.all(this.#serving)
  }
}

function openStream(address: { host: string; port: number }, token: string, timeoutMs: number): Socket {
  const stream = connectTcp(address.host, address.port)
  const timer = setTimeout(() => stream.destroy(), timeoutMs)
  stream.on('connect', () => clearTimeout(timer))
  stream.on('close', () => clearTimeout(timer))
  stream.write(encodeFrame(FrameType.DATA, encodeMessage({ token })))
  return stream
}
