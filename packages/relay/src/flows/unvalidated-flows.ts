import { isIPv6 } from 'node:net'
import { plainAddress, sourceKey } from '../players/source-key.js'
import type { Sight } from './source-gate.js'

/** Of one allocation. */
const MAX_UNVALIDATED = 512
/** Up to here nobody has to share. */
const CALM = MAX_UNVALIDATED / 2
/** Of one group of addresses, when there are more in all than that. */
const MAX_PER_GROUP = MAX_UNVALIDATED / 4
/** The service's answer and the player's next datagram take that long: nobody is displaced before. */
const CHANCE_MS = 1_000
/** So many of the quietest are looked at. */
const MAX_LOOKS = 32

interface Place {
  group: string
  since: number
  sight: Sight
}

/** The flows whose source's address may be forged: few, in the order in which they last sent. The first of them makes room for new ones. */
export class UnvalidatedFlows<F> {
  readonly #places: Map<F, Place> = new Map()
  readonly #groups: Map<string, Set<F>> = new Map()

  get size(): number {
    return this.#places.size
  }

  /**
   * Of the quietest, rather one that was believed at first sight than one that has come twice, as only players do in a flood.
   *
   * Who has to go so that one more may come; undefined: nobody; 'nobody': there is no room.
   * @param full when there is no room beside these
   */
  displaced(group: string, now: number, full: boolean): F | undefined | 'nobody' {
    const members = this.#groups.get(group)
    const crowd = members !== undefined && members.size >= MAX_PER_GROUP && this.#places.size >= CALM
    if (!crowd && !full && this.#places.size < MAX_UNVALIDATED) return undefined
    let looks = 0
    let otherwise: F | 'nobody' = 'nobody'
    for (const flow of crowd ? members : this.#places.keys()) {
      const { since = now, sight } = this.#places.get(flow) ?? {}
      if (now - since >= CHANCE_MS) {
        if (sight === 'first') return flow
        if (otherwise === 'nobody') otherwise = flow
      }
      looks += 1
      if (looks === MAX_LOOKS) break
    }
    return otherwise
  }

  add(flow: F, group: string, now: number, sight: Sight): void {
    this.#places.set(flow, { group, since: now, sight })
    const members = this.#groups.get(group)
    if (members === undefined) this.#groups.set(group, new Set([flow]))
    else members.add(flow)
  }

  /** It has sent again. */
  touch(flow: F): void {
    const place = this.#places.get(flow)
    if (place === undefined) return
    this.#places.delete(flow)
    this.#places.set(flow, place)
    const members = this.#groups.get(place.group)
    members?.delete(flow)
    members?.add(flow)
  }

  delete(flow: F): void {
    const place = this.#places.get(flow)
    if (place === undefined) return
    this.#places.delete(flow)
    const members = this.#groups.get(place.group)
    members?.delete(flow)
    if (members?.size === 0) this.#groups.delete(place.group)
  }
}

/** Addresses that are likely one network's: the /24 of an IPv4 one, the /64 of an IPv6 one. */
export function groupOf(address: string): string {
  const plain = plainAddress(address)
  return isIPv6(plain) ? sourceKey(plain) : plain.slice(0, plain.lastIndexOf('.'))
}
