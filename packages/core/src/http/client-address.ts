import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'
import { type TrustedProxies, unmapped } from './trusted-proxies.js'

/** Hops of `X-Forwarded-For` that are looked at. */
const maxHops = 20
/** Stands for a peer without an address, such as one on a Unix socket. */
const noAddress = '0.0.0.0'

/** Address of whoever made the connection: a proxy, if there is one. */
export function peerAddress(request: IncomingMessage): string {
  return unmapped(request.socket.remoteAddress ?? noAddress)
}

/** Address of the client: the peer, or behind believed proxies the last address that none of them vouches for. */
export function clientAddress(request: IncomingMessage, trusted: TrustedProxies): string {
  let address = peerAddress(request)
  if (!trusted(address)) return address
  const header = request.headers['x-forwarded-for']
  const hops = (Array.isArray(header) ? header.join(',') : (header ?? '')).split(',').reverse().slice(0, maxHops)
  for (const hop of hops) {
    const next = unmapped(hop.trim())
    // A proxy that hands on something else than an address is believed no further.
    if (isIP(next) === 0) break
    address = next
    if (!trusted(address)) break
  }
  return address
}

/** The address that a host's Fastify app found, if it is one. */
export function hostAddress(address: string | undefined, request: IncomingMessage): string {
  const plain = unmapped(address ?? '')
  return isIP(plain) === 0 ? peerAddress(request) : plain
}
