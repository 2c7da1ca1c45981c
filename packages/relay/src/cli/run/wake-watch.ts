import { networkInterfaces } from 'node:os'
import { isDeepStrictEqual } from 'node:util'

export interface WakeWatchOptions {
  /** What stood may be dead, what failed may work now. */
  onWake: (reason: 'clock' | 'network') => void
  /** Default: the system's, milliseconds. */
  wallClock?: () => number
  /** Default: the addresses of this machine's interfaces. */
  addresses?: () => readonly string[]
  everyMs?: number
}

const EVERY_MS = 1_000
/** A wall clock that went on by more (or back) between two looks: the machine slept, or the process was stopped, or the clock was set. */
const JUMP_MS = 5_000
/** Looking at the interfaces costs more than looking at a clock. */
const LOOKS_PER_NETWORK_LOOK = 3

/** Notices that the machine slept or that its network is another, long before timeouts would. Gives what ends it. */
export function watchForWake(options: WakeWatchOptions): () => void {
  const { onWake, wallClock = Date.now, addresses = ownAddresses, everyMs = EVERY_MS } = options
  let last = wallClock()
  let known: readonly string[] = []
  let looks = 0

  lookAtNetwork()
  const timer = setInterval(() => {
    const now = wallClock()
    const passed = now - last
    last = now
    looks += 1
    const jumped = Math.abs(passed - everyMs) > JUMP_MS
    // A link that comes up while nothing of it is usable yet is not worth the price of a second look.
    const isOther = (jumped || looks % LOOKS_PER_NETWORK_LOOK === 0) && lookAtNetwork()
    if (jumped) onWake('clock')
    else if (isOther) onWake('network')
  }, everyMs)

  function lookAtNetwork(): boolean {
    try {
      const present = addresses()
      if (isDeepStrictEqual(present, known)) return false
      known = present
      return true
    } catch {
      // Some systems (Android, a sandbox without netlink) do not let a program see them.
      return false
    }
  }

  return () => clearInterval(timer)
}

/** Addresses that lead somewhere; without loopback and link-local ones, which come and go with every container. */
function ownAddresses(): readonly string[] {
  return Object.values(networkInterfaces())
    .flatMap((addresses = []) => addresses)
    .filter(({ internal, address }) => !internal && !/^(fe[89ab]|169\.254\.)/i.test(address))
    .map(({ address, netmask }) => `${address} ${netmask}`)
    .sort()
}
