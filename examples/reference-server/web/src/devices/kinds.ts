import type { Device } from '@sallyport/relay/client'

/** What a device is, in a word. */
export function kindName({ kind }: Pick<Device, 'kind'>): string {
  return kind === 'server' ? 'Relay' : 'Agent'
}

export function isPending({ approved, expiresAt }: Device, now: number = Date.now()): boolean {
  return !approved && (expiresAt === null || Date.parse(expiresAt) > now)
}

/** Agents: devices that tunnels lead to. */
export function isAgent({ kind, approved }: Device): boolean {
  return approved && kind === 'client'
}
