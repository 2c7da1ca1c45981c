/** The streams that are open, so that a stop can end them. */
export interface OpenStreams {
  add(end: () => void): void
  delete(end: () => void): void
  endAll(): void
}

export function createOpenStreams(): OpenStreams {
  const open = new Set<() => void>()
  return {
    add: (end) => void open.add(end),
    delete: (end) => void open.delete(end),
    endAll() {
      for (const end of [...open]) end()
    },
  }
}
