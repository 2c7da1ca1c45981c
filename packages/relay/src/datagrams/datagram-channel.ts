import { FIRST_CHANNEL_KIND, ItemKind, type OnItem } from './channel-items.js'

/** How the datagrams go at present; undefined: not at all. */
export type ChannelPath = 'udp' | 'stream' | undefined

export interface DatagramChannelOptions {
  limits: { maxUdpBufferBytes: number }
  /** An item of a flow. The payload is a view of bytes that are never written again, so it may be kept or sent as it is. Must not throw. */
  onItem: OnItem
  onPath?: (path: ChannelPath) => void
  /** Relay: packets were sent, and nothing was heard for a second since. Again every half second. */
  onSilence?: () => void
}

/**
 * Datagrams between a relay and an agent, by UDP where it gets through and by a stream where it does not. It outlives links: each new one brings
 * new keys, and flows go on. Implemented by RelayDatagramChannel and AgentDatagramChannel.
 */
export interface DatagramChannel {
  readonly path: ChannelPath
  /** Copies the payload (up to MAX_ITEM_BYTES). False: dropped, since there is no path, or too much of the flow waits for it. Kinds below 32. */
  send(kind: number, flow: number, payload: Uint8Array): boolean
  close(): void
}

/** First byte of a PING over UDP from an agent that sends by UDP, and does not only try it. */
export const USES_UDP = 1

export interface ItemHandlers {
  /** Of the flows. */
  onItem(kind: number, flow: number, payload: Buffer): void
  onPing?(payload: Buffer): void
  onPong?(id: number): void
  /** Back the way the item came. */
  answer(kind: number, flow: number): void
}

/** Items that are not of the packets themselves. */
export function dispatchItem(handlers: ItemHandlers, kind: number, flow: number, payload: Buffer): void {
  if (kind < FIRST_CHANNEL_KIND) handlers.onItem(kind, flow, payload)
  else if (kind === ItemKind.PING) {
    handlers.onPing?.(payload)
    handlers.answer(ItemKind.PONG, flow)
  } else if (kind === ItemKind.PONG) handlers.onPong?.(flow)
}
