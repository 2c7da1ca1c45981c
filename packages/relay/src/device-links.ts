import type { Socket } from 'node:net'
import { encodeFrame } from './frame.js'
import type { RelayLimits } from './limits.js'
import { LinkChannel } from './link-channel.js'
import type { Logger } from './logger.js'
import {
  encodeMessage,
  FrameType,
  type LinkMessage,
  type OpenMessage,
  PROTOCOL_VERSION,
  parseReject,
  type RefusedError,
  type RejectMessage,
  type WelcomeMessage,
} from './protocol.js'
import type { RelayDevice } from './relay-types.js'
import { plainAddress } from './source-key.js'
import type { Tickets } from './tickets.js'

interface DeviceLink {
  channel: LinkChannel
  connectedAt: Date
  remoteAddress: string
  version: string
  grant: string | undefined
}

interface DeviceLinksOptions {
  tickets: Tickets
  /** Whether this grant is in force for the device. */
  accepts: (deviceId: string, grant: string | undefined) => boolean
  limits: RelayLimits
  logger: Logger
  onLink: (deviceId: string, connected: boolean) => void
  onReject: (deviceId: string, message: RejectMessage) => void
}

/** The relay's side of the links: at most one for each device, the newest. */
export class DeviceLinks {
  readonly #options: DeviceLinksOptions
  readonly #links: Map<string, DeviceLink> = new Map()

  constructor(options: DeviceLinksOptions) {
    this.#options = options
  }

  /** A connection whose first frame was LINK. Takes the socket over, or gives the error to refuse it with. */
  accept(socket: Socket, message: LinkMessage): RefusedError | undefined {
    const { tickets, limits, logger } = this.#options
    if (message.protocol !== PROTOCOL_VERSION) return 'protocol_unsupported'
    if (this.#links.size >= limits.maxLinks) return 'busy'
    const redeemed = tickets.redeem(message.ticket, this.#options.accepts)
    if (!redeemed.ok) return redeemed.error
    const { deviceId, grant } = redeemed
    const resume = tickets.issueResume(deviceId, grant)
    const welcome: WelcomeMessage = {
      protocol: PROTOCOL_VERSION,
      deviceId,
      resume: resume.ticket,
      heartbeatMs: limits.heartbeatMs,
    }
    socket.write(encodeFrame(FrameType.WELCOME, encodeMessage(welcome)))
    const channel = new LinkChannel(socket, {
      heartbeatMs: limits.heartbeatMs,
      timeoutMs: limits.linkTimeoutMs,
      maxBufferBytes: limits.maxLinkBufferBytes,
      onAlive: resume.confirm,
      onFrame: (frame) => {
        const reject = frame.type === FrameType.REJECT ? parseReject(frame.payload) : undefined
        if (reject !== undefined) this.#options.onReject(deviceId, reject)
        return reject !== undefined
      },
      onClose: (reason) => this.#closed(deviceId, channel, reason),
    })
    const older = this.#links.get(deviceId)
    const remoteAddress = plainAddress(socket.remoteAddress ?? '')
    this.#links.set(deviceId, { channel, connectedAt: new Date(), remoteAddress, version: message.version, grant })
    older?.channel.send(FrameType.REPLACED, Buffer.alloc(0))
    older?.channel.close()
    logger.info({ deviceId, remoteAddress, version: message.version, replaced: older !== undefined }, 'device linked')
    if (older === undefined) this.#options.onLink(deviceId, true)
    return undefined
  }

  has(deviceId: string): boolean {
    return this.#links.has(deviceId)
  }

  /** Whether the device has a link, made with a ticket that `accepts` still takes. */
  accepted(deviceId: string): boolean {
    const link = this.#links.get(deviceId)
    return link !== undefined && this.#options.accepts(deviceId, link.grant)
  }

  /** The address that the device's link came from, when there is one. */
  addressOf(deviceId: string): string | undefined {
    return this.#links.get(deviceId)?.remoteAddress
  }

  open(deviceId: string, message: OpenMessage): void {
    this.#links.get(deviceId)?.channel.send(FrameType.OPEN, encodeMessage(message))
  }

  disconnect(deviceId: string): void {
    const link = this.#links.get(deviceId)
    if (link === undefined) return
    link.channel.destroy()
    this.#closed(deviceId, link.channel, 'revoked')
  }

  list(): RelayDevice[] {
    return [...this.#links].map(([deviceId, { connectedAt, remoteAddress, version }]) => ({
      deviceId,
      connectedAt,
      remoteAddress,
      version,
    }))
  }

  closeAll(): void {
    for (const deviceId of [...this.#links.keys()]) this.disconnect(deviceId)
  }

  #closed(deviceId: string, channel: LinkChannel, reason: string): void {
    // The late close of a link that was replaced must not take the newer one along.
    if (this.#links.get(deviceId)?.channel !== channel) return
    this.#links.delete(deviceId)
    this.#options.logger.info({ deviceId, reason }, 'device link closed')
    this.#options.onLink(deviceId, false)
  }
}
