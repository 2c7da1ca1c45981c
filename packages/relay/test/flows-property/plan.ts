/** What one side of a flow does. */
export interface SidePlan {
  bytes: number
  /** Where its bytes begin in the pool. */
  offset: number
  pieces: number
  /** Between pieces, at most. */
  pauseMs: number
  speaks: 'at once' | 'when it has heard something' | 'when the other has finished'
  reads: 'at once' | 'slowly' | 'when it has spoken'
  ends: 'when it has spoken' | 'when the other has finished'
}

export interface BreakPlan {
  by: 'player' | 'target'
  after: { sent: number } | { received: number }
}

export interface FlowPlan {
  seed: number
  player: SidePlan
  target: SidePlan
  breaks: BreakPlan | undefined
}

export type Random = () => number

/** mulberry32: the same numbers in [0, 1) for the same seed. */
export function randomFrom(seed: number): Random {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

export function below(random: Random, end: number): number {
  return Math.floor(random() * end)
}

export const MAX_FLOW_BYTES = 1_048_576

/** Most flows are small, a few as large as may be. */
const SIZES = [
  { share: 0.08, from: 0, to: 0 },
  { share: 0.3, from: 1, to: 64 },
  { share: 0.32, from: 65, to: 4_096 },
  { share: 0.24, from: 4_097, to: 65_536 },
  { share: 0.045, from: 65_537, to: 262_144 },
  { share: 0.01, from: 262_145, to: MAX_FLOW_BYTES },
  { share: 0.005, from: MAX_FLOW_BYTES, to: MAX_FLOW_BYTES },
]

function sizeOf(random: Random): number {
  let left = random()
  for (const { share, from, to } of SIZES) {
    if (left < share) return from + below(random, to - from + 1)
    left -= share
  }
  return MAX_FLOW_BYTES
}

function sideOf(random: Random): SidePlan {
  const kind = random()
  return {
    bytes: sizeOf(random),
    offset: below(random, MAX_FLOW_BYTES),
    pieces: kind < 0.5 ? 1 : kind < 0.85 ? 2 + below(random, 7) : 9 + below(random, 56),
    pauseMs: random() < 0.15 ? 1 + below(random, 5) : 0,
    speaks: 'at once',
    reads: random() < 0.1 ? 'slowly' : 'at once',
    ends: 'when it has spoken',
  }
}

/** Never one where both wait for each other: at most one side waits before it speaks, or reads only then. */
export function planOf(seed: number): FlowPlan {
  const random = randomFrom(seed)
  const [player, target] = [sideOf(random), sideOf(random)]
  const [one, other] = random() < 0.5 ? [player, target] : [target, player]
  const turn = random()
  if (turn < 0.2 && other.bytes > 0) one.speaks = 'when it has heard something'
  else if (turn < 0.4) one.speaks = 'when the other has finished'
  else if (turn < 0.5) one.reads = 'when it has spoken'
  const breaks = random() < 0.2 ? breakOf(random, player, target) : undefined
  const [breaker, hearer] = breaks?.by === 'player' ? [player, target] : [target, player]
  // Who has not ended yet can tell a reset from an end.
  const waits = breaker.speaks === 'when the other has finished' || hearer.reads === 'when it has spoken'
  if (breaks !== undefined && !waits && random() < 0.7) hearer.ends = 'when the other has finished'
  return { seed, player, target, breaks }
}

function breakOf(random: Random, player: SidePlan, target: SidePlan): BreakPlan {
  const by = random() < 0.5 ? 'player' : 'target'
  const [own, others] = by === 'player' ? [player, target] : [target, player]
  return random() < 0.5
    ? { by, after: { sent: below(random, own.bytes + 1) } }
    : { by, after: { received: below(random, others.bytes + 1) } }
}
