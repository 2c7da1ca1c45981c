import { createHash, randomBytes } from 'node:crypto'
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { ChannelSecrets } from '../datagrams/channel-keys.js'
import type { DatagramsOffer } from '../link/protocol.js'

const CHANNEL_BYTES = 8
const SALT_BYTES = 32
const EXPORTER_BYTES = 32
/** RFC 8446 section 7.5. */
const EXPORTER_LABEL = 'EXPORTER-sallyport-datagrams'

/** Drawn by the relay for each link. `flows` names its table of flows. */
export function offerDatagrams(flows: string): DatagramsOffer {
  return {
    channel: randomBytes(CHANNEL_BYTES).toString('hex'),
    salt: randomBytes(SALT_BYTES).toString('base64url'),
    flows,
  }
}

/** The same on both ends of a link. `socket` is the link's; `ticket` the one of its LINK. */
export function linkSecrets(socket: Socket, ticket: string, { channel, salt }: DatagramsOffer): ChannelSecrets {
  return {
    channel: BigInt(`0x${channel}`),
    ticket,
    salt: Buffer.from(salt, 'base64url'),
    exporter: exporterOf(socket, ticket),
  }
}

function exporterOf(socket: Socket, ticket: string): Buffer | undefined {
  if (!(socket instanceof TLSSocket)) return undefined
  const context = createHash('sha256').update(ticket).digest()
  return socket.exportKeyingMaterial(EXPORTER_BYTES, EXPORTER_LABEL, context)
}
