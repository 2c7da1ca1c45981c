import type { Relay } from '@sallyport/relay'

const everyMs = 1_000

/** Prints what passes, once a second while it grows, one line for each tunnel. Gives what ends it. */
export function watchCounts(relay: Relay, print: (line: string) => void = console.log): () => void {
  const said = new Map<number, string>()
  const look = (): void => {
    const counted = new Map(relay.traffic().map((traffic) => [traffic.allocationId, traffic]))
    for (const { allocationId, protocol, port } of relay.status().allocations) {
      const traffic = counted.get(allocationId)
      if (!traffic || traffic.connections === 0) continue
      const { open, connections, bytesIn, bytesOut } = traffic
      const line = `${protocol} ${port}: ${open} here, ${connections} so far, ${bytesIn} bytes in, ${bytesOut} out`
      if (said.get(allocationId) !== line) print(line)
      said.set(allocationId, line)
    }
  }
  const timer = setInterval(look, everyMs)
  return () => {
    clearInterval(timer)
    look()
  }
}
