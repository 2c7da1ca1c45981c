import type { RejectError } from '../agent-types.js'
import { ItemKind } from '../datagrams/channel-items.js'
import type { DatagramChannel } from '../datagrams/datagram-channel.js'
import { encodeFlow, type FlowMessage } from './flow-message.js'

/** What a flow tells its player. */
export interface FlowHandlers {
  /** The agent has it. More than once when the agent had lost it. */
  onOpened(): void
  /** From the target. The payload is a view of bytes that nobody writes any more. */
  onDatagram(payload: Buffer): void
  /** The agent does not serve it; it is closed. */
  onRejected(error: RejectError): void
  /** The agent has ended it; it is closed. */
  onEnded(): void
  /** There is a way to the agent again. */
  onPath(): void
  /** There has been none for so long that nothing need be kept any more. */
  onAway(): void
}

const NOTHING: Buffer = Buffer.alloc(0)

/** One player's flow on the channel of the device, from the relay's side. */
export class DeviceFlow {
  readonly id: number
  readonly handlers: FlowHandlers
  readonly message: FlowMessage
  readonly #channel: Pick<DatagramChannel, 'send'>
  readonly #onClosed: (flow: DeviceFlow) => void
  /** OPEN, which goes in front of every datagram until the agent has answered. */
  #opening: Buffer | undefined
  #closed = false

  constructor(
    id: number,
    message: FlowMessage,
    handlers: FlowHandlers,
    channel: Pick<DatagramChannel, 'send'>,
    onClosed: (flow: DeviceFlow) => void,
  ) {
    this.id = id
    this.handlers = handlers
    this.message = message
    this.#channel = channel
    this.#onClosed = onClosed
    this.#opening = encodeFlow(message)
  }

  /** To the target. Copies. False: dropped. */
  send(payload: Uint8Array): boolean {
    if (this.#opening !== undefined && !this.#channel.send(ItemKind.OPEN, this.id, this.#opening)) return false
    return this.#channel.send(ItemKind.DATA, this.id, payload)
  }

  /** The agent is told; the handlers are not called any more. */
  close(): void {
    if (this.#closed) return
    this.#channel.send(ItemKind.CLOSE, this.id, NOTHING)
    this.#close()
  }

  opened(): void {
    if (this.#opening === undefined) return
    this.#opening = undefined
    this.handlers.onOpened()
  }

  data(payload: Buffer): void {
    if (this.#opening !== undefined) this.opened()
    this.handlers.onDatagram(payload)
  }

  /** The agent does not know it, any more or yet. */
  unknown(): void {
    this.#opening ??= encodeFlow(this.message)
  }

  rejected(error: RejectError): void {
    this.#close()
    this.handlers.onRejected(error)
  }

  ended(): void {
    this.#close()
    this.handlers.onEnded()
  }

  #close(): void {
    this.#closed = true
    this.#onClosed(this)
  }
}
