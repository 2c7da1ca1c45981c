import type { Server, Socket } from 'node:net'
import type { HandedFlow } from '../handover/handed-state.js'
import type { AllocationTraffic, RelayAllocation } from '../relay-types.js'
import { resetSocket } from '../stream/reset-socket.js'
import { ConnectionRecord } from './connection-record.js'
import { createTcpServer, listenTcp, SOCKET_OPTIONS } from './listen-tcp.js'
import { PlayerRules } from './player-rules.js'
import type { PlayerContext, PublicListener } from './public-listener.js'
import { plainAddress } from './source-key.js'
import { TcpPlayer } from './tcp-player.js'

/** Of the idle time; and so the error of its measure. */
const IDLE_SWEEPS = 10
const MAX_IDLE_SWEEP_MS = 1_000

/** A public TCP port. Each player gets a data connection of the agent's to himself; nobody is read from before. */
export class TcpListener implements PublicListener {
  readonly #context: PlayerContext
  readonly #traffic: AllocationTraffic
  readonly #rules: PlayerRules
  readonly #server: Server
  readonly #players: Set<TcpPlayer> = new Set()
  #allocation: RelayAllocation
  #onDrained: (() => void)[] = []
  #idleSweep: NodeJS.Timeout | undefined
  /** Of data connections that are kept ready while this port is in force. */
  #leavePool: () => void = ignore
  #closed: Promise<void> | undefined

  constructor(allocation: RelayAllocation, traffic: AllocationTraffic, context: PlayerContext) {
    this.#allocation = allocation
    this.#traffic = traffic
    this.#context = context
    this.#rules = new PlayerRules(allocation.options)
    this.#server = createTcpServer(SOCKET_OPTIONS, context.descriptors, 'player', (socket) => this.#accept(socket))
  }

  async listen(): Promise<number> {
    const { bindHost, logger, pools, taken } = this.#context
    const { id, port, deviceId } = this.#allocation
    const bound = await listenTcp(this.#server, { host: bindHost, port, taken: taken?.tcp(id) }, (error) =>
      logger.warn({ allocationId: id, error: error.code }, 'accepting a player failed'),
    )
    if (this.#closed === undefined) this.#leavePool = pools.open(deviceId)
    return bound
  }

  update(allocation: RelayAllocation): void {
    const { idleMs } = this.#rules
    this.#allocation = allocation
    this.#rules.update(allocation.options)
    if (this.#rules.idleMs !== idleMs) this.#restartIdleSweep()
    for (const player of [...this.#players]) if (!this.#rules.admits(player.remoteAddress)) player.cut('denied')
  }

  stopAccepting(): void {
    this.#leavePool()
    // A server that was never bound calls back with an error: it has nothing to close.
    this.#closed ??= new Promise((resolve) => this.#server.close(() => resolve()))
  }

  get handle(): Server {
    return this.#server
  }

  release(): Socket[] {
    this.#leavePool()
    if (this.#closed === undefined) {
      // Its 'close' would be waited for in vain: Node does not emit it when the last player was passed to another process.
      this.#closed = Promise.resolve()
      this.#server.close()
    }
    return [...this.#players].map((player) => player.release()).filter((socket) => socket !== undefined)
  }

  flows(): HandedFlow[] {
    return []
  }

  takePlayer(socket: Socket): void {
    // It comes as if nothing had been said of how it is to be treated.
    socket.allowHalfOpen = true
    this.#accept(socket)
  }

  takeFlow(): void {}

  cutPlayers(): void {
    for (const player of [...this.#players]) player.cut('cut')
  }

  async closed(): Promise<void> {
    await this.#closed
    // Their agents' side may be a moment behind, and their end is still to be told.
    await this.drained()
  }

  async drained(): Promise<void> {
    if (this.#players.size > 0) await new Promise<void>((resolve) => this.#onDrained.push(resolve))
  }

  #accept(socket: Socket): void {
    socket.on('error', ignore)
    const { remoteAddress, remotePort } = socket
    if (remoteAddress === undefined || remotePort === undefined) {
      // It has left already.
      socket.destroy()
      return
    }
    const { gate } = this.#context
    if (gate?.holds(this.#allocation.id, socket, () => this.#accept(socket)) === true) return
    const allocation = this.#allocation
    const from = { remoteAddress: plainAddress(remoteAddress), remotePort }
    const context = this.#context
    const about = { allocationId: allocation.id, protocol: 'tcp' as const, ...from }
    const record = new ConnectionRecord(about, this.#traffic, context.tell)
    const entry = this.#rules.enter(from.remoteAddress, { players: context.limits.maxConnectionsPerAllocation })
    const release = entry.ok ? context.permits.take() : undefined
    if (!entry.ok || release === undefined) {
      if (entry.ok) entry.leave()
      resetSocket(socket)
      record.close(entry.ok ? 'busy' : entry.reason)
      return
    }
    const player = new TcpPlayer(socket, {
      allocation,
      ...from,
      rules: this.#rules,
      record,
      context,
      onGone: () => {
        release()
        entry.leave()
        this.#players.delete(player)
        if (this.#players.size > 0) return
        this.#restartIdleSweep()
        for (const resolve of this.#onDrained.splice(0)) resolve()
      },
    })
    this.#players.add(player)
    if (this.#players.size === 1) this.#restartIdleSweep()
    player.start()
  }

  /** One timer for all players, while there are any and an idle time. */
  #restartIdleSweep(): void {
    clearInterval(this.#idleSweep)
    this.#idleSweep = undefined
    const { idleMs } = this.#rules
    if (this.#players.size === 0 || !Number.isFinite(idleMs)) return
    this.#idleSweep = setInterval(
      () => {
        const now = performance.now()
        for (const player of [...this.#players]) player.cutIfIdle(now, idleMs)
      },
      Math.min(MAX_IDLE_SWEEP_MS, idleMs / IDLE_SWEEPS),
    )
  }
}

function ignore(): void {}
