/** Answers what the parent process asks by name, and passes events on to it. Ends with the parent. */
export function serveParent(
  methods: Record<string, (...args: never[]) => unknown>,
): (event: string, payload: unknown) => void {
  process.on('disconnect', () => process.exit(0))
  process.on('message', (asked: { id: number; method: string; args: never[] }) => {
    void answer(asked)
  })
  const answer = async ({ id, method, args }: { id: number; method: string; args: never[] }) => {
    try {
      const value = await methods[method]?.(...args)
      process.send?.({ id, value })
    } catch (error) {
      process.send?.({ id, error: String(error) })
    }
  }
  process.send?.({ event: 'ready' })
  return (event, payload) => void process.send?.({ event, payload })
}
