import type { DatagramChannel } from '../datagrams/datagram-channel.js'
import type { HandedTable } from '../handover/handed-state.js'
import { type ChannelHooks, DeviceFlows } from './device-flows.js'
import { slotOf } from './flow-id.js'

/** Flows of devices whose link is gone end by themselves; then nothing of the device is kept. */
const SWEEP_INTERVAL_MS = 60_000

export interface RelayFlowsOptions<C extends DatagramChannel> {
  limits: { linkWaitMs: number }
  createChannel: (deviceId: string, hooks: ChannelHooks) => C
  /** Over the device's link, if it has one: has the agent open a path for datagrams. */
  wake: (deviceId: string) => void
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
    const flows = this.#devices.get(deviceId) ?? this.#create(deviceId)
    this.#linked.add(deviceId)
    if (!this.#closed) {
      this.#sweep ??= setInterval(() => this.#drop(), SWEEP_INTERVAL_MS)
      flows.linked()
    }
    return flows
  }

  /** For another process: the tables that have flows. */
  handed(): HandedTable[] {
    return [...this.#devices]
      .filter(([, { size }]) => size > 0)
      .map(([deviceId, { id, generations }]) => ({ deviceId, id, generations }))
  }

  /** Goes on with the tables of the process before this one. @param flows that will be resumed */
  restore(tables: readonly HandedTable[], flows: readonly { deviceId: string; id: number }[]): void {
    const taken = new Map(tables.map(({ deviceId }) => [deviceId, new Set<number>()]))
    for (const { deviceId, id } of flows) taken.get(deviceId)?.add(slotOf(id))
    for (const { deviceId, id, generations } of tables)
      this.#create(deviceId, id).restore(generations, taken.get(deviceId) ?? new Set())
    if (tables.length > 0) this.#sweep ??= setInterval(() => this.#drop(), SWEEP_INTERVAL_MS)
  }

  /** The device has no link any more. */
  sessionEnd(deviceId: string): void {
    this.#linked.delete(deviceId)
    this.#devices.get(deviceId)?.unlinked()
  }

  /** The device is shut out: its flows end, and the keys of its channel are good for nothing any more. */
  revoke(deviceId: string): void {
    this.#linked.delete(deviceId)
    this.#close(deviceId)
  }

  /** Closes the channels; the flows are ended. */
  close(): void {
    this.#closed = true
    clearInterval(this.#sweep)
    for (const deviceId of [...this.#devices.keys()]) this.#close(deviceId)
    this.#linked.clear()
  }

  #create(deviceId: string, id?: string): DeviceFlows<C> {
    const { limits, createChannel, wake } = this.#options
    const flows = new DeviceFlows<C>({
      linkWaitMs: limits.linkWaitMs,
      createChannel: (hooks) => createChannel(deviceId, hooks),
      wake: () => wake(deviceId),
      ...(id === undefined ? {} : { id }),
    })
    this.#devices.set(deviceId, flows)
    return flows
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
