/** Waits for a condition and gives the milliseconds that it took. */
export async function until(condition: () => unknown, what: string, deadlineMs: number = 15_000): Promise<number> {
  const start = performance.now()
  while (!(await condition())) {
    if (performance.now() - start > deadlineMs) throw new Error(`not within ${deadlineMs} ms: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  return Math.round(performance.now() - start)
}
