/** Whether `work` ended within the time. Rejects when it does; what comes later is not looked at. */
export async function within(timeoutMs: number, work: unknown): Promise<boolean> {
  if (!(work instanceof Promise)) return true
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<false>((resolve) => {
    timer = setTimeout(resolve, timeoutMs, false)
  })
  try {
    return await Promise.race([work.then(() => true), timeout])
  } finally {
    clearTimeout(timer)
  }
}
