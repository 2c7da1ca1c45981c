import type { RemoteInfo, Socket } from 'node:dgram'
import { isIPv6 } from 'node:net'
import { ConnectionRecord } from './connection-record.js'
import { KeyedCounts } from './permits.js'
import type { PlayerContext, PublicListener } from './public-listener.js'
import type { AllocationTraffic, RelayAllocation } from './relay-types.js'
import { plainAddress, sourceKey } from './source-key.js'
import { UdpFlow } from './udp-flow.js'
import { createUdpSocket, enlargeReceiveBuffer, sendBounded } from './udp-socket.js'

const MIN_SWEEP_INTERVAL_MS = 10
const MAX_SWEEP_INTERVAL_MS = 5_000

/** A public UDP port. Datagrams from one address and port are one player's flow, until it is idle. */
export class UdpListener implements PublicListener {
  readonly #context: PlayerContext
  readonly #traffic: AllocationTraffic
  readonly #socket: Socket
  readonly #flows: Map<string, UdpFlow> = new Map()
  readonly #perSource: KeyedCounts = new KeyedCounts()
  #allocation: RelayAllocation
  #sweep: NodeJS.Timeout | undefined
  #accepting = true
  #binding: Promise<void> | undefined
  #closed: Promise<void> | undefined

  constructor(allocation: RelayAllocation, traffic: AllocationTraffic, context: PlayerContext) {
    this.#allocation = allocation
    this.#traffic = traffic
    this.#context = context
    this.#socket = createUdpSocket(isIPv6(context.bindHost) ? 'udp6' : 'udp4')
  }

  listen(): Promise<number> {
    const listening = this.#bind()
    const bound = () => {
      this.#binding = undefined
    }
    this.#binding = listening.then(bound, bound)
    return listening
  }

  #bind(): Promise<number> {
    const { bindHost } = this.#context
    const socket = this.#socket
    return new Promise((resolve, reject) => {
      const failed = (error: Error) => {
        reject(error)
        void this.#close()
      }
      socket.once('error', failed)
      socket.bind({ address: bindHost, port: this.#allocation.port, exclusive: true }, () => {
        socket.off('error', failed)
        // From sending, and of one player only: a port that cannot be reached, a datagram too large for the way.
        socket.on('error', ignore)
        enlargeReceiveBuffer(socket)
        if (this.#accepting) this.#startSweep()
        resolve(socket.address().port)
      })
      socket.on('message', (payload, from) => this.#take(payload, from))
    })
  }

  #startSweep(): void {
    const { udpIdleMs, udpUnansweredMs } = this.#context.limits
    const intervalMs = Math.max(MIN_SWEEP_INTERVAL_MS, Math.min(udpIdleMs, udpUnansweredMs) / 4)
    this.#sweep = setInterval(() => this.#endIdle(), Math.min(intervalMs, MAX_SWEEP_INTERVAL_MS))
  }

  /** A flow has no end of its own, so the ones to the old target are cut. */
  retarget(allocation: RelayAllocation): void {
    this.#allocation = allocation
    this.cutPlayers()
  }

  stopAccepting(): void {
    this.#accepting = false
    if (this.#flows.size === 0) void this.#close()
  }

  cutPlayers(): void {
    for (const flow of [...this.#flows.values()]) flow.close('cut')
  }

  async closed(): Promise<void> {
    await this.#closed
  }

  drained(): Promise<void> {
    return Promise.resolve()
  }

  #take(payload: Buffer, from: RemoteInfo): void {
    const key = `${from.address} ${from.port}`
    const flow = this.#flows.get(key) ?? this.#begin(key, from)
    flow?.fromPlayer(payload)
  }

  #begin(key: string, from: RemoteInfo): UdpFlow | undefined {
    if (!this.#accepting || from.port === 0) return undefined
    const allocation = this.#allocation
    const { limits, permits, waiting, tell } = this.#context
    const source = sourceKey(from.address)
    const full =
      this.#flows.size >= limits.maxUdpFlowsPerAllocation || this.#perSource.of(source) >= limits.maxUdpFlowsPerSource
    const release = full ? undefined : permits.take()
    // Refused without an event: a flood of forged sources would make one of each datagram.
    if (release === undefined) return undefined
    const player = { remoteAddress: plainAddress(from.address), remotePort: from.port }
    const call = waiting.call({
      allocation,
      ...player,
      onStream: (stream) => flow.connect(stream),
      onFailed: (reason) => flow.close(reason),
    })
    if (!call.ok) {
      release()
      return undefined
    }
    const uncount = this.#perSource.add(source)
    const flow = new UdpFlow({
      record: new ConnectionRecord({ allocationId: allocation.id, protocol: 'udp', ...player }, this.#traffic, tell),
      maxBufferBytes: limits.maxUdpBufferBytes,
      sendToPlayer: (payload) =>
        sendBounded(this.#socket, limits.maxUdpBufferBytes, () => this.#socket.send(payload, from.port, from.address)),
      cancel: call.cancel,
      onClose: () => {
        this.#flows.delete(key)
        uncount()
        release()
        if (!this.#accepting && this.#flows.size === 0) void this.#close()
      },
    })
    this.#flows.set(key, flow)
    return flow
  }

  #endIdle(): void {
    const now = performance.now()
    const { udpIdleMs, udpUnansweredMs } = this.#context.limits
    for (const flow of this.#flows.values()) {
      const idleMs = now - flow.lastActiveAt
      if (idleMs > udpIdleMs || (!flow.answered && idleMs > udpUnansweredMs)) flow.close('idle')
    }
  }

  #close(): Promise<void> {
    clearInterval(this.#sweep)
    const close = () => new Promise<void>((resolve) => this.#socket.close(() => resolve()))
    // A close during a bind that fails would be lost; any other is at once, since the port may be wanted in the same state.
    this.#closed ??= this.#binding === undefined ? close() : this.#binding.then(close)
    return this.#closed
  }
}

function ignore(): void {}
