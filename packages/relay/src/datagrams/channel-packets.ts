import { Bundler, type BundleTarget } from './channel-bundler.js'
import { Reassembly } from './channel-fragments.js'
import { ITEM_HEADER_BYTES, ItemKind, readItems, writeItemHeader } from './channel-items.js'
import { BASE_PACKET_BYTES, PathMtu, type Probe } from './channel-mtu.js'
import { PACKET_OVERHEAD_BYTES } from './channel-packet.js'
import type { ChannelSession, SealedPacket } from './channel-session.js'
import type { TurnEnd } from './channel-turn.js'

const NOTHING: Buffer = Buffer.alloc(0)

/** Whose packets they are. */
export interface PacketsOwner {
  transmit(packet: SealedPacket): void
  /** Items of the flows, PING and PONG. The payload is valid within the call only. */
  onPacketItem(kind: number, flow: number, payload: Buffer): void
}

/** Items in packets: bundled, fragmented and put together again, sealed, in the sizes that the path takes. */
export class ChannelPackets implements BundleTarget {
  readonly #owner: PacketsOwner
  readonly #maxBufferBytes: number
  readonly #bundler: Bundler
  readonly #mtu: PathMtu = new PathMtu()
  #reassembly: Reassembly | undefined
  #sending: ChannelSession | undefined
  #sentLarge = false
  #closed = false

  /** `maxBufferBytes`: of fragments waiting for the rest of their items. */
  constructor(owner: PacketsOwner, turnEnd: TurnEnd, maxBufferBytes: number) {
    this.#owner = owner
    this.#maxBufferBytes = maxBufferBytes
    this.#bundler = new Bundler(turnEnd, BASE_PACKET_BYTES - PACKET_OVERHEAD_BYTES, this)
  }

  /** The largest packet that goes out. */
  get packetBytes(): number {
    return this.#mtu.bytes
  }

  /** What is sent from now on goes by this session. */
  use(session: ChannelSession | undefined): void {
    this.#bundler.flush()
    this.#sending = session
  }

  /** Copies the payload. It goes out at the end of this turn of the event loop at the latest. */
  send(kind: number, flow: number, payload: Uint8Array): void {
    if (!this.#closed) this.#bundler.add(kind, flow, payload)
  }

  flush(): void {
    this.#bundler.flush()
  }

  /** What was found in an authentic packet. */
  deliver(bundle: Buffer): void {
    readItems(bundle, (kind, flow, payload) => this.#take(kind, flow, payload))
  }

  /** The way has changed: sizes are found out anew, beginning with the smallest, which is all that is left without `sizes`. */
  searchSizes(sizes: readonly number[], now: number): void {
    const probes = this.#mtu.restart(sizes, now)
    this.#resize()
    this.#probe(probes)
  }

  /** About twice a second while there is traffic. */
  tick(now: number): void {
    this.#reassembly?.expire(now)
    if (this.#reassembly?.size === 0) this.#reassembly = undefined
    this.#probe(this.#mtu.due(now, this.#sentLarge))
    this.#sentLarge = false
    this.#resize()
  }

  close(): void {
    this.#bundler.flush()
    this.#closed = true
    this.#sending = undefined
    this.#reassembly = undefined
  }

  /** For the bundler. */
  emit(bundle: Buffer): void {
    const packet = this.#sending?.seal(bundle)
    if (packet === undefined) return
    if (bundle.length > BASE_PACKET_BYTES - PACKET_OVERHEAD_BYTES) this.#sentLarge = true
    this.#owner.transmit(packet)
  }

  #take(kind: number, flow: number, payload: Buffer): void {
    if (this.#closed) return
    if (kind === ItemKind.FRAGMENT) {
      this.#reassembly ??= new Reassembly(this.#maxBufferBytes)
      this.#reassembly.add(flow, payload, performance.now(), (wholeKind, wholeFlow, whole) =>
        this.#owner.onPacketItem(wholeKind, wholeFlow, whole),
      )
    } else if (kind === ItemKind.PROBE) {
      this.send(ItemKind.PROBE_ACK, flow, NOTHING)
    } else if (kind === ItemKind.PROBE_ACK) {
      this.#mtu.answered(flow, performance.now())
      this.#resize()
    } else {
      this.#owner.onPacketItem(kind, flow, payload)
    }
  }

  #resize(): void {
    this.#bundler.resize(this.#mtu.bytes - PACKET_OVERHEAD_BYTES)
  }

  #probe(probes: Probe[]): void {
    const session = this.#sending
    if (session === undefined) return
    for (const { id, bytes } of probes) {
      const bundle = Buffer.alloc(bytes - PACKET_OVERHEAD_BYTES)
      writeItemHeader(bundle, 0, ItemKind.PROBE, id, bundle.length - ITEM_HEADER_BYTES)
      const packet = session.seal(bundle)
      if (packet !== undefined) this.#owner.transmit(packet)
    }
  }
}
