import type { Allocation } from '@sallyport/relay/client'
import { address } from '../ui/format.js'

/** What people take for one tunnel: an allocation, or one for TCP and one for UDP on the same number. */
export interface Tunnel {
  readonly key: string
  /** The one that its page is of: TCP where there are two. */
  readonly main: Allocation
  /** TCP first. */
  readonly halves: readonly Allocation[]
}

/** Puts together what shares a public port and a device; newest first. */
export function pairUp(allocations: readonly Allocation[]): readonly Tunnel[] {
  const groups = new Map<string, Allocation[]>()
  for (const allocation of allocations) {
    const group = groups.get(keyOf(allocation))
    if (group) group.push(allocation)
    else groups.set(keyOf(allocation), [allocation])
  }
  return [...groups].map(([key, group]) => toTunnel(key, group)).sort((a, b) => newest(b) - newest(a))
}

/** The tunnel that an allocation is a half of, or the whole. */
export function tunnelOf(allocation: Allocation, allocations: readonly Allocation[]): Tunnel {
  const key = keyOf(allocation)
  return toTunnel(
    key,
    allocations.filter((one) => keyOf(one) === key),
  )
}

/** `TCP`, `UDP` or `TCP + UDP`. */
export function protocolOf({ halves }: Tunnel): string {
  return halves.map(({ protocol }) => protocol.toUpperCase()).join(' + ')
}

export function addressOf({ host, port }: Allocation): string {
  return address(host, port)
}

export function targetOf({ localHost, localPort }: Allocation): string {
  return address(localHost, localPort)
}

function toTunnel(key: string, group: readonly Allocation[]): Tunnel {
  const halves = [...group].sort((a, b) => (a.protocol < b.protocol ? -1 : 1))
  return { key, main: halves[0] as Allocation, halves }
}

function keyOf({ deviceId, relayId, host, port }: Allocation): string {
  return JSON.stringify([deviceId, relayId, host, port])
}

function newest({ halves }: Tunnel): number {
  return Math.max(...halves.map(({ id }) => id))
}
