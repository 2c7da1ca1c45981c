import type { RelayCandidate, RelayPolicy } from './relay-policy.js'

/**
 * The organisation's own relays first, then those of the wanted region, then the least loaded: by allocations for each that it
 * may have, then by players.
 */
export const defaultRelayPolicy: RelayPolicy = ({ organisationId, region }, candidates) => {
  const rank = (one: RelayCandidate): readonly number[] => [
    organisationId !== null && one.organisationId === organisationId ? 0 : 1,
    region !== null && one.region === region ? 0 : 1,
    one.allocations / (one.capacity ?? assumedCapacity),
    one.connections,
  ]
  const ranked = candidates.map((candidate) => ({ candidate, rank: rank(candidate) }))
  return ranked.sort((a, b) => compare(a.rank, b.rank) || compareIds(a.candidate, b.candidate)).map(one)
}

/** Of a relay that says nothing. */
const assumedCapacity = 10_000

function one({ candidate }: { readonly candidate: RelayCandidate }): RelayCandidate {
  return candidate
}

function compare(a: readonly number[], b: readonly number[]): number {
  for (const [at, value] of a.entries()) {
    const difference = value - (b[at] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}

function compareIds(a: RelayCandidate, b: RelayCandidate): number {
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0
}
