import { hash, randomInt } from 'node:crypto'
import { RelayError } from '../errors.js'
import { addressBytes, parseIpAddress } from '../players/ip-address.js'

/** Whether a service on this machine sees an address of its own for each player, or 127.0.0.1 for all. */
export type LocalSourceMode = 'distinct' | 'shared'

/** Of a TCP connection with a source: above the ports that Linux gives out itself (32768 to 60999), and seldom listened on. */
const FIRST_PORT = 61_000
const PORTS = 65_536 - FIRST_PORT
/** What the system says of a source that it does not take; anything else is about the target. */
const SOURCE_ERRORS: ReadonlySet<string> = new Set(['EADDRNOTAVAIL', 'EINVAL', 'EACCES', 'EPERM', 'EAFNOSUPPORT'])
/** The host has no such addresses: all players go without for this long. */
const HOST_PAUSE_MS = 60_000
/** One source has hardly a port left: it goes without for this long. */
const SOURCE_PAUSE_MS = 1_000
const MAX_PAUSED_SOURCES = 1_024

/**
 * The address of 127.1.0.1 to 127.254.255.254 that stands for a player's address: always the same one, here and on every other machine,
 * so that a server's bans hold. Different players may share one, as one in 16 million does; who has many IPv6 addresses can look
 * for one that meets another's. 127.0.0.0/24, where local services are, and last bytes 0 and 255 are left out.
 */
export function localSourceFor(remoteAddress: string): string {
  const bytes = parseIpAddress(remoteAddress)?.bytes ?? Buffer.from(remoteAddress)
  const digest = hash('sha256', bytes, 'buffer')
  return `127.${1 + (digest.readUInt32BE(0) % 254)}.${digest.readUInt8(4)}.${1 + (digest.readUInt32BE(8) % 254)}`
}

/** Gives each player's connection to a local service its source, where the system has such addresses. One for each agent. */
export class LocalSources {
  readonly #distinct: boolean
  readonly #paused: Map<string, number> = new Map()
  #hostPausedUntil = 0
  /** Not where the last process began: what it closed is still in the system's memory. */
  #portsUsed: number = randomInt(PORTS)

  /** @param platform only Linux has all of 127.0.0.0/8 without being told to */
  constructor(mode: LocalSourceMode, platform: NodeJS.Platform = process.platform) {
    if (mode !== 'distinct' && mode !== 'shared') throw new RelayError('RELAY_ERR_INVALID_OPTION', 'localSource')
    this.#distinct = mode === 'distinct' && platform === 'linux'
  }

  /** What to bind on the way to `target`, an address; undefined: leave it to the system. */
  choose(remoteAddress: string, target: string): string | undefined {
    if (!this.#distinct || addressBytes(target)?.length !== 4 || !target.startsWith('127.')) return undefined
    const now = performance.now()
    if (now < this.#hostPausedUntil) return undefined
    const source = localSourceFor(remoteAddress)
    return now < (this.#paused.get(source) ?? 0) ? undefined : source
  }

  /**
   * A local port for TCP, each in its turn. Left to itself the system looks for one through all that are taken, which takes milliseconds
   * after some thousand connections, and keeps what it gave for a bound address from every other program.
   */
  nextPort(): number {
    this.#portsUsed += 1
    return FIRST_PORT + (this.#portsUsed % PORTS)
  }

  /** Whether a failure with a source was the target's, for want of this port, or for want of such addresses at all; then it is paused. */
  judge({ code, syscall }: NodeJS.ErrnoException): 'target' | 'port' | 'host' {
    if (code === 'EADDRINUSE' || (code === 'EADDRNOTAVAIL' && syscall === 'connect')) return 'port'
    if (code === undefined || !SOURCE_ERRORS.has(code)) return 'target'
    this.#hostPausedUntil = performance.now() + HOST_PAUSE_MS
    return 'host'
  }

  /** No port was to be had for this source. */
  pause(source: string): void {
    this.#paused.delete(source)
    this.#paused.set(source, performance.now() + SOURCE_PAUSE_MS)
    const [oldest] = this.#paused.keys()
    if (this.#paused.size > MAX_PAUSED_SOURCES && oldest !== undefined) this.#paused.delete(oldest)
  }
}
