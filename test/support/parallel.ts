/** Does it `count` times, at most `width` at once, and gives the results in order. */
export async function inParallel<T>(count: number, width: number, work: (index: number) => Promise<T>): Promise<T[]> {
  const results: T[] = []
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < count) {
      const index = next
      next += 1
      results[index] = await work(index)
    }
  }
  await Promise.all(Array.from({ length: width }, worker))
  return results
}

/** How often each status came. */
export function tally(statuses: readonly number[]): Record<number, number> {
  const count = (status: number) => statuses.filter((one) => one === status).length
  return Object.fromEntries([...new Set(statuses)].sort().map((status) => [status, count(status)]))
}
