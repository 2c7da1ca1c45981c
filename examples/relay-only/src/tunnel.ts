import type { RelayAllocation } from '@sallyport/relay'

/** A public port and the local port that its players are brought to. */
export interface Tunnel {
  readonly protocol: 'tcp' | 'udp'
  /** 0 picks a free one. */
  readonly port: number
  readonly localPort: number
}

export class UsageError extends Error {}

/** A name for the machine at home; tickets are bound to it. */
export const deviceId = 'home'
export const relayId = 'relay'
/** What tickets must carry. Change it to end every ticket that was ever issued. */
export const grant = '1'

/**
 * Reads `tcp:25565`, `udp:19132=19133` or `both:27015`: the public port, and the local one where that is another.
 * @throws UsageError
 */
export function parseTunnel(text: string): Tunnel[] {
  const [, kind, digits, local] = /^(tcp|udp|both):(\d{1,5})(?:=(\d{1,5}))?$/.exec(text) ?? []
  const port = Number(digits)
  const localPort = local === undefined ? port : Number(local)
  if (!(port <= 65_535 && localPort >= 1 && localPort <= 65_535)) {
    throw new UsageError(`'${text}' is no tunnel: tcp:25565, udp:19132=19133 and both:27015 are`)
  }
  const protocols = kind === 'both' ? (['tcp', 'udp'] as const) : [kind as 'tcp' | 'udp']
  return protocols.map((protocol) => ({ protocol, port, localPort }))
}

/** A relay is told ids of its allocations, by which it counts. */
export function toAllocations(tunnels: readonly Tunnel[]): RelayAllocation[] {
  return tunnels.map(({ protocol, port, localPort }, index) => ({
    ...{ id: index + 1, deviceId, grant, protocol, port },
    target: { host: '127.0.0.1', port: localPort },
  }))
}

/** @throws UsageError */
export function parsePort(text: string, option: string, least: 0 | 1 = 1): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : -1
  if (port >= least && port <= 65_535) return port
  throw new UsageError(`${option} must be a port from ${least} to 65535`)
}
