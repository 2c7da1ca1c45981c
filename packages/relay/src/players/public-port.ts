import type { Socket } from 'node:net'
import type { HandedFlow } from '../handover/handed-state.js'
import type { AllocationCondition, AllocationStatus, AllocationTraffic, RelayAllocation } from '../relay-types.js'
import { sameService } from '../state/same-allocation.js'
import type { ListenerFactory, PlayerContext, PublicListener } from './public-listener.js'

/** One allocation in force: its listener while it should have one, tried again while the port cannot be bound. */
export class PublicPort {
  readonly #traffic: AllocationTraffic
  readonly #context: PlayerContext
  readonly #createListener: ListenerFactory
  readonly #onCondition: (condition: AllocationCondition, error?: string) => void
  #allocation: RelayAllocation
  #listener: PublicListener | undefined
  #condition: AllocationCondition = 'starting'
  #error: string | undefined
  #boundPort: number | undefined
  #retry: NodeJS.Timeout | undefined
  #failures = 0
  /** Another process has the port, or is to bind it. */
  #released = false

  constructor(
    allocation: RelayAllocation,
    traffic: AllocationTraffic,
    context: PlayerContext,
    createListener: ListenerFactory,
    onCondition: (condition: AllocationCondition, error?: string) => void,
  ) {
    this.#allocation = allocation
    this.#traffic = traffic
    this.#context = context
    this.#createListener = createListener
    this.#onCondition = onCondition
  }

  get allocation(): RelayAllocation {
    return this.#allocation
  }

  /** Resolves when the port is bound or has failed for the first time. */
  async open(): Promise<void> {
    if (this.#allocation.paused === true) return this.#become('paused')
    await this.#listen()
  }

  /** What is different must not need another listener (see `samePlace`). */
  update(allocation: RelayAllocation): void {
    const before = this.#allocation
    this.#allocation = allocation
    if (!sameService(before, allocation)) this.#listener?.update(allocation)
  }

  cutPlayers(): void {
    this.#listener?.cutPlayers()
  }

  stopAccepting(): void {
    clearTimeout(this.#retry)
    this.#listener?.stopAccepting()
  }

  async drained(): Promise<void> {
    await this.#listener?.drained()
  }

  /** For the process that the port is handed over to; undefined: it is not bound. */
  get handle(): PublicListener['handle'] | undefined {
    return this.#condition === 'listening' ? this.#listener?.handle : undefined
  }

  flows(): HandedFlow[] {
    return this.#listener?.flows() ?? []
  }

  /** See PublicListener. */
  release(): Socket[] {
    this.#released = true
    clearTimeout(this.#retry)
    return this.#listener?.release() ?? []
  }

  /** Undefined: there is nobody to take it. */
  get heir(): Pick<PublicListener, 'takePlayer' | 'takeFlow'> | undefined {
    return this.#listener
  }

  /** Frees the port at once and cuts every player. Resolves when their sockets are closed. */
  async close(): Promise<void> {
    clearTimeout(this.#retry)
    const listener = this.#listener
    this.#listener = undefined
    listener?.stopAccepting()
    listener?.cutPlayers()
    await listener?.closed()
  }

  status(): AllocationStatus {
    const { id, protocol, port } = this.#allocation
    const status: AllocationStatus = {
      allocationId: id,
      protocol,
      port: this.#boundPort ?? port,
      status: this.#condition,
    }
    if (this.#error !== undefined) status.error = this.#error
    return status
  }

  async #listen(): Promise<void> {
    const listener = this.#createListener(this.#allocation, this.#traffic, this.#context)
    this.#listener = listener
    try {
      const port = await listener.listen()
      // Closed or moved while it was binding: `close` has cut this listener already.
      if (this.#listener !== listener) return
      this.#boundPort = port
      this.#failures = 0
      this.#become('listening')
    } catch (error) {
      if (this.#listener !== listener || this.#released) return
      this.#listener = undefined
      this.#retryLater()
      this.#become('failed', (error as NodeJS.ErrnoException).code ?? 'unknown')
    }
  }

  #retryLater(): void {
    const { bindRetryMinMs, bindRetryMaxMs } = this.#context.limits
    const delayMs = Math.min(bindRetryMaxMs, bindRetryMinMs * 2 ** Math.min(this.#failures, 20))
    this.#failures += 1
    this.#retry = setTimeout(() => void this.#listen(), delayMs)
  }

  #become(condition: AllocationCondition, error?: string): void {
    const changed = condition !== this.#condition || error !== this.#error
    this.#condition = condition
    this.#error = error
    if (changed) this.#onCondition(condition, error)
  }
}
