import { generationOf, isLaterGeneration, slotOf } from './flow-id.js'

/** What is under way for longer is lost. */
const LATE_MS = 30_000

/** Which flows the relay has ended, so that a late item of one does not bring it back. One entry for each slot. */
export class FlowGenerations {
  readonly #ended: Map<number, { generation: number; at: number }> = new Map()

  end(flow: number, now: number): void {
    this.#ended.set(slotOf(flow), { generation: generationOf(flow), at: now })
  }

  /** True for an ended flow and what came before it in its slot. */
  isOver(flow: number, now: number): boolean {
    const last = this.#ended.get(slotOf(flow))
    return last !== undefined && now - last.at < LATE_MS && !isLaterGeneration(generationOf(flow), last.generation)
  }

  clear(): void {
    this.#ended.clear()
  }
}
