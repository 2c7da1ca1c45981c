/** A flow's number on the wire: slot u16, generation u16. A slot is used again with the next generation, so that late items are told apart. */
export const FLOW_SLOTS = 65_536
const GENERATIONS = 65_536

export function flowId(slot: number, generation: number): number {
  return slot * GENERATIONS + generation
}

export function slotOf(flow: number): number {
  return flow >>> 16
}

export function generationOf(flow: number): number {
  return flow & (GENERATIONS - 1)
}

/** Whether generation `a` comes after `b`, in the shorter way round (RFC 1982). */
export function isLaterGeneration(a: number, b: number): boolean {
  const ahead = (a - b) & (GENERATIONS - 1)
  return ahead > 0 && ahead < GENERATIONS / 2
}
