import type { Socket } from 'node:dgram'
import { isIPv6 } from 'node:net'
import type { RejectError } from '../agent-types.js'
import { ItemKind, MAX_ITEM_BYTES } from '../datagrams/channel-items.js'
import type { DatagramChannel } from '../datagrams/datagram-channel.js'
import type { AgentLimits } from '../limits.js'
import type { ConnectionRecord } from '../players/connection-record.js'
import type { CloseReason } from '../relay-types.js'
import type { AllowList } from '../target/allow-rule.js'
import type { LocalSources } from '../target/local-source.js'
import { resolveTarget } from '../target/target.js'
import type { FlowMessage } from './flow-message.js'
import { HeldDatagrams } from './held-datagrams.js'
import type { QueueBudget } from './paced-datagrams.js'
import { BoundedSender, connectUdp, createUdpSocket } from './udp-socket.js'

export interface AgentFlowOptions {
  id: number
  message: FlowMessage
  channel: Pick<DatagramChannel, 'send'>
  allowed: AllowList
  sources: LocalSources
  limits: AgentLimits
  /** Waiting for the target to be resolved, of all flows. */
  budget: QueueBudget
  record: ConnectionRecord
  onOpened: () => void
  /** Instead of `onOpened`; the flow is closed. */
  onRejected: (error: RejectError) => void
  /** Once, after everything. */
  onGone: () => void
}

/** One player's datagrams between the channel and a socket of its own, connected to the target. */
export class AgentFlow {
  readonly id: number
  readonly message: FlowMessage
  /** Something passed since this was last set to false. */
  active = true
  /** For whoever sets `active` to false: when it was last seen true. */
  activeAt: number = performance.now()
  readonly #options: AgentFlowOptions
  #held: HeldDatagrams | undefined
  /** What goes in front of the first datagram to the target. */
  #header: Buffer | undefined
  #socket: Socket | undefined
  #sender: BoundedSender | undefined
  #closed = false
  #gone = false

  constructor(options: AgentFlowOptions) {
    const { id, message, budget, limits } = options
    this.id = id
    this.message = message
    this.#options = options
    this.#header = headerOf(message)
    this.#held = new HeldDatagrams(budget, limits.maxUdpBufferBytes)
    void this.#open()
  }

  /** There is a way to the target. */
  get opened(): boolean {
    return this.#sender !== undefined
  }

  toTarget(payload: Buffer): void {
    this.active = true
    if (this.#sender === undefined) this.#held?.push(payload)
    else this.#pass(this.#sender, payload)
  }

  /** The relay is not told. */
  close(reason: CloseReason): void {
    if (this.#closed) return
    this.#closed = true
    this.#held?.take()
    this.#options.record.close(reason)
    if (this.#socket !== undefined) this.#closeSocket(this.#socket)
  }

  async #open(): Promise<void> {
    const { message, allowed, limits, onRejected } = this.#options
    const resolved = await resolveTarget(message.target, allowed, limits.targetTimeoutMs)
    const error = resolved.ok ? await this.#connect(resolved.value[0] ?? '') : resolved.error
    if (error === undefined || this.#closed) {
      if (this.#socket === undefined) this.#end()
      return
    }
    this.close(error)
    onRejected(error)
    this.#end()
  }

  /** UDP does not say whether somebody is there, so it is the first address. */
  async #connect(address: string): Promise<RejectError | undefined> {
    const { message, sources, onOpened, record } = this.#options
    for (let source = sources.choose(message.remoteAddress, address); ; source = undefined) {
      if (this.#closed) return undefined
      const socket = createUdpSocket(isIPv6(address) ? 'udp6' : 'udp4')
      try {
        await connectUdp(socket, message.target.port, address, source)
      } catch (error) {
        socket.close()
        if (source === undefined || sources.judge(error as NodeJS.ErrnoException) === 'target')
          return 'target_unreachable'
        continue
      }
      this.#socket = socket
      if (this.#closed) {
        this.#closeSocket(socket)
        return undefined
      }
      socket.on('message', this.#fromTarget)
      socket.on('error', this.#onError)
      this.#sender = new BoundedSender(socket, this.#options.limits.maxUdpBufferBytes)
      record.open()
      onOpened()
      this.#flush(this.#sender)
      return undefined
    }
  }

  #flush(sender: BoundedSender): void {
    const held = this.#held
    this.#held = undefined
    for (const payload of held?.take() ?? []) this.#pass(sender, payload)
  }

  #pass(sender: BoundedSender, payload: Buffer): void {
    const header = this.#header
    if (header === undefined) {
      if (sender.send(payload)) this.#options.record.count(payload.length, 0)
      return
    }
    // One that has no room for the header is lost: the target must not take what comes without for the first.
    if (header.length + payload.length > MAX_ITEM_BYTES || !sender.send(Buffer.concat([header, payload]))) return
    this.#header = undefined
    this.#options.record.count(payload.length, 0)
  }

  /** Nobody was there (RFC 792): whoever comes has not seen the header. */
  readonly #onError = ({ code }: NodeJS.ErrnoException): void => {
    if (code === 'ECONNREFUSED') this.#header = headerOf(this.message)
  }

  readonly #fromTarget = (payload: Buffer): void => {
    this.active = true
    if (this.#options.channel.send(ItemKind.DATA, this.id, payload)) this.#options.record.count(0, payload.length)
  }

  #closeSocket(socket: Socket): void {
    socket.off('message', this.#fromTarget)
    socket.close(() => this.#end())
  }

  #end(): void {
    if (this.#gone) return
    this.#gone = true
    this.#options.onGone()
  }
}

function headerOf({ header }: FlowMessage): Buffer | undefined {
  return header === undefined ? undefined : Buffer.from(header, 'base64')
}
