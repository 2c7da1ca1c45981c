import type { RejectError } from '../agent-types.js'
import type { HandedFlow } from '../handover/handed-state.js'
import type { ConnectionRecord } from '../players/connection-record.js'
import type { PlayerRules } from '../players/player-rules.js'
import type { CloseReason } from '../relay-types.js'
import type { DeviceFlow, FlowHandlers } from './device-flow.js'
import type { DeviceFlows } from './device-flows.js'
import type { FlowMessage } from './flow-message.js'
import { HeldDatagrams } from './held-datagrams.js'
import { PacedDatagrams, type QueueBudget } from './paced-datagrams.js'

/** What all flows of a public port have in common. */
export interface UdpFlowHost {
  readonly rules: PlayerRules
  /** Of each queue of a flow. */
  readonly maxBufferBytes: number
  /** Of all flows of the port: waiting for bandwidth, to and from players, or for the agent. */
  readonly budgets: { readonly in: QueueBudget; readonly out: QueueBudget; readonly held: QueueBudget }
  /** To a player; false when dropped. */
  send(payload: Buffer, port: number, address: string): boolean
  onValidated(flow: UdpFlow): void
  /** The agent does not serve the target. */
  onRejected(): void
  onGone(flow: UdpFlow): void
}

/** One player's datagrams, both ways, over the channel of the agent's device. */
export class UdpFlow implements FlowHandlers {
  readonly address: string
  readonly port: number
  /** Something passed since this was last set to false. */
  active = true
  /** For whoever sets `active` to false: when it was last seen true. */
  activeAt: number
  readonly #host: UdpFlowHost
  readonly #record: ConnectionRecord
  #table: DeviceFlows | undefined
  #flow: DeviceFlow | undefined
  #held: HeldDatagrams | undefined
  #fromPlayer: PacedDatagrams | undefined
  #toPlayer: PacedDatagrams | undefined
  #withdraw: () => void = ignore
  #opened = false
  #answered = false
  #validated = false
  #closed = false

  constructor(from: { address: string; port: number }, record: ConnectionRecord, host: UdpFlowHost) {
    this.address = from.address
    this.port = from.port
    this.activeAt = performance.now()
    this.#record = record
    this.#host = host
  }

  /** The agent has taken it. */
  get opened(): boolean {
    return this.#opened
  }

  /** The source has sent again after it was answered, so its address is not forged. */
  get validated(): boolean {
    return this.#validated
  }

  /** The flow waits for something; `withdraw` is called when it is closed first. */
  waitFor(withdraw: () => void): void {
    this.#withdraw = withdraw
  }

  /** From now on there is somewhere to send to. False: the device has too many flows, and this one is closed. */
  connect(table: DeviceFlows, message: FlowMessage): boolean {
    this.#withdraw = ignore
    this.#table = table
    this.#flow = table.open(message, this)
    if (this.#flow === undefined) this.close('busy')
    else this.onPath()
    return !this.#closed
  }

  /** For another process; undefined: it has nowhere to send to yet. */
  handed(): HandedFlow | undefined {
    if (this.#flow === undefined) return undefined
    const { id, message } = this.#flow
    const progress = this.#record.progress
    const { address, port } = this
    return { id, message, address, port, answered: this.#answered, validated: this.#validated, progress }
  }

  /** It is one of the process before this one. */
  resume(table: DeviceFlows, { id, message, answered, validated, progress }: HandedFlow): void {
    this.#table = table
    this.#flow = table.resume(id, message, this)
    this.#answered = answered
    this.#validated = validated
    this.#opened = progress.openForMs !== undefined
    this.#record.resume(progress)
  }

  /** It goes on in another process: nobody is told. */
  leave(): void {
    if (!this.#closed) this.#drop()
  }

  /** Copies what it has to keep. */
  fromPlayer(payload: Buffer): void {
    this.active = true
    if (this.#answered && !this.#validated) {
      this.#validated = true
      this.#host.onValidated(this)
    }
    const { rules, budgets, maxBufferBytes } = this.#host
    if (this.#fromPlayer === undefined) {
      if (rules.fromPlayers.rate === 0) {
        this.#passToTarget(payload)
        return
      }
      const pass = (paced: Buffer) => this.#passToTarget(paced)
      this.#fromPlayer = new PacedDatagrams(rules.fromPlayers, budgets.in, maxBufferBytes, pass)
    }
    this.#fromPlayer.send(payload)
  }

  onOpened(): void {
    if (this.#opened || this.#closed) return
    this.#opened = true
    this.#record.open()
  }

  onDatagram(payload: Buffer): void {
    this.active = true
    this.#answered = true
    const { rules, budgets, maxBufferBytes } = this.#host
    if (this.#toPlayer === undefined) {
      if (rules.toPlayers.rate === 0) {
        this.#passToPlayer(payload)
        return
      }
      const pass = (paced: Buffer) => this.#passToPlayer(paced)
      this.#toPlayer = new PacedDatagrams(rules.toPlayers, budgets.out, maxBufferBytes, pass)
    }
    this.#toPlayer.send(payload)
  }

  onRejected(error: RejectError): void {
    this.#host.onRejected()
    this.close(error)
  }

  onEnded(): void {
    this.close('end')
  }

  onPath(): void {
    const held = this.#held
    if (held === undefined) return
    this.#held = undefined
    for (const payload of held.take()) this.#passToTarget(payload)
  }

  onAway(): void {
    this.#held?.take()
    this.#held = undefined
  }

  close(reason: CloseReason): void {
    if (this.#closed) return
    this.#drop()
    this.#flow?.close()
    this.#record.close(reason)
  }

  #drop(): void {
    this.#closed = true
    this.#withdraw()
    this.onAway()
    this.#fromPlayer?.close()
    this.#toPlayer?.close()
    this.#host.onGone(this)
  }

  #passToTarget(payload: Buffer): void {
    if (this.#flow?.send(payload) === true) this.#record.count(payload.length, 0)
    else if (this.#mayWait) this.#hold(payload)
  }

  /** Not let in yet, or the agent is away for a moment. */
  get #mayWait(): boolean {
    if (this.#closed) return false
    return this.#table === undefined || (this.#table.channel.path === undefined && this.#table.reachable)
  }

  #hold(payload: Buffer): void {
    const { budgets, maxBufferBytes } = this.#host
    this.#held ??= new HeldDatagrams(budgets.held, maxBufferBytes)
    this.#held.push(payload)
  }

  #passToPlayer(payload: Buffer): void {
    if (this.#closed) return
    if (this.#host.send(payload, this.port, this.address)) this.#record.count(0, payload.length)
  }
}

function ignore(): void {}
