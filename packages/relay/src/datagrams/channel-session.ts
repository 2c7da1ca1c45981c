import { type ChannelSecrets, deriveChannelKeys, type KeySchedule } from './channel-keys.js'
import { MAX_PACKET_NUMBER, openPacket, packetNumberOf, sealPacket } from './channel-packet.js'
import { ReplayWindow } from './channel-replay.js'

export type ChannelSide = 'relay' | 'agent'
export type SealedPacket = readonly Uint8Array[]
export type OpenedPacket = { ok: true; bundle: Buffer; newest: boolean } | { ok: false; reason: 'replayed' | 'forged' }

const REPLAYED: OpenedPacket = Object.freeze({ ok: false, reason: 'replayed' })
const FORGED: OpenedPacket = Object.freeze({ ok: false, reason: 'forged' })

/** What packets of one link are sealed and opened with. Another link, another session: its keys serve nothing else. */
export class ChannelSession {
  readonly channel: bigint
  readonly proof: string
  readonly #sending: KeySchedule
  readonly #receiving: KeySchedule
  readonly #window: ReplayWindow = new ReplayWindow()
  #counter = 0

  constructor(side: ChannelSide, secrets: ChannelSecrets) {
    const { toRelay, toAgent, proof } = deriveChannelKeys(secrets)
    this.channel = secrets.channel
    this.proof = proof
    this.#sending = side === 'agent' ? toRelay : toAgent
    this.#receiving = side === 'agent' ? toAgent : toRelay
  }

  /** Undefined when the numbers are used up. */
  seal(bundle: Buffer): SealedPacket | undefined {
    if (this.#counter > MAX_PACKET_NUMBER) return undefined
    const counter = this.#counter
    this.#counter += 1
    return sealPacket(this.channel, counter, this.#sending, bundle)
  }

  /** `newest`: no packet with a higher number has come before. */
  open(packet: Buffer): OpenedPacket {
    const counter = packetNumberOf(packet)
    if (!this.#window.isNew(counter)) return REPLAYED
    const bundle = openPacket(packet, counter, this.#receiving)
    if (bundle === undefined) return FORGED
    const newest = counter > this.#window.newest
    this.#window.add(counter)
    return { ok: true, bundle, newest }
  }
}
