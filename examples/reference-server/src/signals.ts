const stopTimeoutMs = 9_000

/** SIGTERM and SIGINT, from the moment that this is made. */
export interface Signals {
  /** Whether one has come; the process is about to exit then. */
  readonly came: boolean
  /** What has to be stopped from now on. Before it is said, a signal finds nothing to do but exit. */
  stops(stop: () => Promise<void>): void
}

/** Has a signal stop what there is to stop, and exit with 0; with 1 when that fails or takes longer than 9 seconds. */
export function listenForSignals(complain: (line: string) => void): Signals {
  let stop = (): Promise<void> => Promise.resolve()
  let came = false
  const onSignal = (): void => {
    // npm and the terminal may both send one; the first counts.
    if (came) return
    came = true
    setTimeout(() => {
      complain('Sallyport did not stop in time.')
      process.exit(1)
    }, stopTimeoutMs).unref()
    stop().then(
      () => process.exit(0),
      (error: unknown) => {
        complain(`Sallyport did not stop cleanly: ${error instanceof Error ? error.message : String(error)}`)
        process.exit(1)
      },
    )
  }
  process.on('SIGTERM', onSignal)
  process.on('SIGINT', onSignal)
  return {
    get came() {
      return came
    },
    stops(next) {
      stop = next
    },
  }
}
