import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { Encryption } from '../agent-types.js'
import type { ChannelSecrets } from '../datagrams/channel-keys.js'
import { linkSecrets, offerDatagrams } from '../identity/link-secrets.js'
import type { Tickets } from '../identity/tickets.js'
import type { RelayLimits } from '../limits.js'
import type { Logger } from '../logger.js'
import { plainAddress, sourceKey } from '../players/source-key.js'
import type { OrderLink } from '../pool/link-orders.js'
import type { RelayDevice } from '../relay-types.js'
import { encodeFrame, type Frame } from './frame.js'
import { LinkChannel } from './link-channel.js'
import {
  encodeMessage,
  FrameType,
  type LinkMessage,
  PROTOCOL_VERSION,
  parseShort,
  type RefusedError,
  type ShortMessage,
  type WelcomeMessage,
} from './protocol.js'

interface DeviceLink {
  channel: LinkChannel
  connectedAt: Date
  remoteAddress: string
  encryption: Encryption
  version: string
  grant: string | undefined
}

interface DeviceLinksOptions {
  tickets: Tickets
  /** Whether this grant is in force for the device. */
  accepts: (deviceId: string, grant: string | undefined) => boolean
  limits: RelayLimits
  logger: Logger
  /** A link is being welcomed: gives the id of the device's table of flows. */
  onWelcome: (deviceId: string) => string
  onLink: (deviceId: string, connected: boolean) => void
  /** A link is up, in place of the one before, or (undefined) it is gone. Before `onLink`. */
  onOrders: (deviceId: string, link: OrderLink | undefined) => void
  onShort: (deviceId: string, message: ShortMessage) => void
  /** The same for datagrams: what their channel is made from. After `onWelcome`. */
  onSession: (deviceId: string, secrets: ChannelSecrets | undefined) => void
}

/** The relay's side of the links: at most one for each device, the newest. */
export class DeviceLinks {
  readonly #options: DeviceLinksOptions
  readonly #links: Map<string, DeviceLink> = new Map()
  /** Takes no new links; they are tried again. */
  shut = false

  constructor(options: DeviceLinksOptions) {
    this.#options = options
  }

  /** A connection whose first frame was LINK. Takes the socket over, or gives the error to refuse it with. */
  accept(socket: Socket, message: LinkMessage): RefusedError | undefined {
    const { tickets, limits, logger } = this.#options
    if (message.protocol !== PROTOCOL_VERSION) return 'protocol_unsupported'
    if (this.shut) return 'busy'
    // A link that replaces one takes no more room than that.
    const hasRoom = (deviceId: string) => this.#links.size < limits.maxLinks || this.#links.has(deviceId)
    const redeemed = tickets.redeem(message.ticket, this.#options.accepts, hasRoom)
    if (!redeemed.ok) return redeemed.error
    const { deviceId, grant } = redeemed
    const resume = tickets.issueResume(deviceId, grant)
    const datagrams = offerDatagrams(this.#options.onWelcome(deviceId))
    // Before anything is written: a write that fails closes the socket at once, and TLS has nothing to export then.
    const secrets = linkSecrets(socket, message.ticket, datagrams)
    const welcome: WelcomeMessage = {
      protocol: PROTOCOL_VERSION,
      deviceId,
      resume: resume.ticket,
      heartbeatMs: limits.heartbeatMs,
      datagrams,
    }
    socket.write(encodeFrame(FrameType.WELCOME, encodeMessage(welcome)))
    const channel: LinkChannel = new LinkChannel(socket, {
      heartbeatMs: limits.heartbeatMs,
      timeoutMs: limits.linkTimeoutMs,
      maxBufferBytes: limits.maxLinkBufferBytes,
      onAlive: resume.confirm,
      onFrame: (frame) => this.#take(deviceId, channel, frame),
      onClose: (reason) => this.#closed(deviceId, channel, reason),
    })
    const older = this.#links.get(deviceId)
    const remoteAddress = plainAddress(socket.remoteAddress ?? '')
    const encryption = socket instanceof TLSSocket ? 'tls' : 'off'
    const { version } = message
    this.#links.set(deviceId, { channel, connectedAt: new Date(), remoteAddress, encryption, version, grant })
    older?.channel.send(FrameType.REPLACED, Buffer.alloc(0))
    older?.channel.close()
    logger.info({ deviceId, remoteAddress, version, replaced: older !== undefined }, 'device linked')
    this.#options.onSession(deviceId, secrets)
    this.#options.onOrders(deviceId, {
      source: sourceKey(remoteAddress),
      order: (tokens) => channel.send(FrameType.ORDER, encodeMessage({ tokens })),
    })
    if (older === undefined) this.#options.onLink(deviceId, true)
    return undefined
  }

  get size(): number {
    return this.#links.size
  }

  has(deviceId: string): boolean {
    return this.#links.has(deviceId)
  }

  /** Has the agent open a way for its datagrams. */
  wake(deviceId: string): void {
    this.#links.get(deviceId)?.channel.send(FrameType.WAKE, Buffer.alloc(0))
  }

  /** Whether the device has a link, made with a ticket that `accepts` still takes. */
  accepted(deviceId: string): boolean {
    const link = this.#links.get(deviceId)
    return link !== undefined && this.#options.accepts(deviceId, link.grant)
  }

  disconnect(deviceId: string): void {
    const link = this.#links.get(deviceId)
    if (link === undefined) return
    link.channel.destroy()
    this.#closed(deviceId, link.channel, 'revoked')
  }

  list(): RelayDevice[] {
    return [...this.#links].map(([deviceId, { connectedAt, remoteAddress, encryption, version }]) => ({
      deviceId,
      connectedAt,
      remoteAddress,
      encryption,
      version,
    }))
  }

  /** Tells every agent to link again at once; what runs over data connections goes on. */
  moveAll(): void {
    for (const [deviceId, { channel }] of [...this.#links]) {
      channel.send(FrameType.MOVED, Buffer.alloc(0))
      channel.close()
      this.#closed(deviceId, channel, 'moved')
    }
  }

  closeAll(): void {
    for (const deviceId of [...this.#links.keys()]) this.disconnect(deviceId)
  }

  /** False: it does not belong there. */
  #take(deviceId: string, channel: LinkChannel, { type, payload }: Frame): boolean {
    const short = type === FrameType.SHORT ? parseShort(payload) : undefined
    // A link that was replaced may still say what it had to say.
    const present = this.#links.get(deviceId)?.channel === channel
    if (short !== undefined && present) this.#options.onShort(deviceId, short)
    return short !== undefined
  }

  #closed(deviceId: string, channel: LinkChannel, reason: string): void {
    // The late close of a link that was replaced must not take the newer one along.
    if (this.#links.get(deviceId)?.channel !== channel) return
    this.#links.delete(deviceId)
    this.#options.logger.info({ deviceId, reason }, 'device link closed')
    this.#options.onOrders(deviceId, undefined)
    this.#options.onSession(deviceId, undefined)
    this.#options.onLink(deviceId, false)
  }
}
