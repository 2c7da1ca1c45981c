import type { DatagramChannel } from './datagram-channel.js'
import { type ChannelHooks, DeviceFlows } from './device-flows.js'

/** Flows of devices whose link is gone end by themselves; then nothing of the device is kept. */
const SWEEP_INTERVAL_MS = 60_000

export interface RelayFlowsOptions<C extends DatagramChannel> {
  limits: { linkWaitMs: number }
  createChannel: (deviceId: string, hooks: ChannelHooks) => C
}

/** The tables of flows of a relay's devices. */
export class RelayFlows<C extends DatagramChannel = DatagramChannel> {
  readonly #options: RelayFlowsOptions<C>
  readonly #devices: Map<string, DeviceFlows<C>> = new Map()
  readonly #linked: Set<string> = new Set()
  #sweep: NodeJS.Timeout | undefined
  #closed = false

  constructor(options: RelayFlowsOptions<C>) {
    this.#options = options
  }

  /** Undefined: the device has no link, and no flows from when it had one. */
  find(deviceId: string): DeviceFlows<C> | undefined {
    return this.#devices.get(deviceId)
  }

  /** A link is being welcomed. The agent is to be told the table's id; the channel gets the link's secrets. */
  welcome(deviceId: string): DeviceFlows<C> {
    const { limits, createChannel } = this.#options
    let flows = this.#devices.get(deviceId)
    if (flows === undefined) {
      flows = new DeviceFlows(limits.linkWaitMs, (hooks) => createChannel(deviceId, hooks))
      this.#devices.set(deviceId, flows)
    }
    this.#linked.add(deviceId)
    if (!this.#closed) {
      this.#sweep ??= setInterval(() => this.#drop(), SWEEP_INTERVAL_MS)
      flows.linked()
    }
    return flows
  }

  /** The device has no link any more. */
  sessionEnd(deviceId: string): void {
    this.#linked.delete(deviceId)
  }

  /** Closes the channels; the flows are ended. */
  close(): void {
    this.#closed = true
    clearInterval(this.#sweep)
    for (const deviceId of [...this.#devices.keys()]) this.#close(deviceId)
    this.#linked.clear()
  }

  #drop(): void {
    for (const [deviceId, { size }] of this.#devices)
      if (size === 0 && !this.#linked.has(deviceId)) this.#close(deviceId)
    if (this.#devices.size > 0) return
    clearInterval(this.#sweep)
    this.#sweep = undefined
  }

  #close(deviceId: string): void {
    const flows = this.#devices.get(deviceId)
    this.#devices.delete(deviceId)
    flows?.close()
    flows?.channel.close()
  }
}
