import { useCallback, useEffect, useRef, useState } from 'preact/hooks'

/** Something of the API's that a page shows. */
export interface Resource<T> {
  /** `undefined`: not there yet. */
  readonly data: T | undefined
  /** Why the last reading failed. */
  readonly error: unknown
  /** Reads it again; resolves when it is there. */
  reload(): Promise<void>
  /** Shows at once what an answer has told already. */
  set(change: (before: T) => T): void
}

/**
 * Reads something when the page is opened, and again when `key` changes.
 * @param read must not change what it reads but by `key`
 */
export function useResource<T>(read: () => Promise<T>, key = ''): Resource<T> {
  const [state, setState] = useState<{ data?: T; error?: unknown }>({})
  const latest = useRef(read)
  latest.current = read
  const turn = useRef(0)

  const reload = useCallback(async () => {
    turn.current += 1
    const mine = turn.current
    try {
      const data = await latest.current()
      // A later question has been asked: its answer counts.
      if (turn.current === mine) setState({ data })
    } catch (error) {
      if (turn.current === mine) setState(({ data }) => (data === undefined ? { error } : { data, error }))
    }
  }, [])
  const set = useCallback((change: (before: T) => T) => {
    setState((before) => (before.data === undefined ? before : { data: change(before.data) }))
  }, [])
  // `key` says when it is something else.
  useEffect(() => {
    void reload()
    return () => {
      turn.current += 1
    }
  }, [reload, key])
  return { data: state.data, error: state.error, reload, set }
}
