// How a process of the benchmark is told what to do: one call a message, answered by its id. It ends with the benchmark.
export function answerCalls(calls, ready = {}, end = () => process.exit()) {
  const say = (message) => {
    if (process.connected) process.send(message)
  }
  process.on('message', async ({ id, call, argument }) => {
    try {
      say({ id, result: await calls[call](argument) })
    } catch (error) {
      say({ id, error: error.message })
    }
  })
  process.on('disconnect', end)
  // While it was starting.
  if (!process.connected) end()
  say({ ready })
}

/** Bytes resident once everything that can be freed has been. Needs --expose-gc. */
export async function residentBytes() {
  for (let times = 0; times < 4; times++) {
    globalThis.gc()
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  return process.memoryUsage.rss()
}
