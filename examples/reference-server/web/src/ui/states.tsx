import type { ComponentChildren } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { wordsOf } from '../api.js'
import type { Resource } from './resource.js'

/** What is quicker than this shows no sign of waiting: it would only flicker. */
const waitingAfterMs = 150

/** Lines in the place of what will be there, so that nothing jumps. */
export function Waiting({ lines = 3 }: { lines?: number }) {
  const [isShown, setShown] = useState(false)
  useEffect(() => {
    const timer = setTimeout(() => setShown(true), waitingAfterMs)
    return () => clearTimeout(timer)
  }, [])
  return (
    <div class="waiting" aria-busy={isShown ? 'true' : undefined} data-spinner="none">
      <span class="visually-hidden" role="status">
        {isShown ? 'Loading…' : ''}
      </span>
      {Array.from({ length: lines }, (_, line) => (
        <div key={line} class={isShown ? 'bone shown' : 'bone'} />
      ))}
    </div>
  )
}

interface FailureProps {
  readonly message: string
  /** Tries again. */
  readonly retry?: () => unknown
}

/** What went wrong, where the thing would have been. */
export function Failure({ message, retry }: FailureProps) {
  return (
    <div role="alert" data-variant="danger" class="failure">
      <p>{message}</p>
      {retry && (
        <button type="button" class="outline small" onClick={() => void retry()}>
          Try again
        </button>
      )}
    </div>
  )
}

interface EmptyProps {
  readonly title: string
  /** What it is for and how to come by one. */
  readonly children?: ComponentChildren
}

/** Nothing is there yet. */
export function Empty({ title, children }: EmptyProps) {
  return (
    <div class="empty">
      <p class="empty-title">{title}</p>
      {children}
    </div>
  )
}

interface LoadedProps<T> {
  readonly resource: Resource<T>
  readonly lines?: number
  readonly children: (data: T) => ComponentChildren
}

/** A resource, or why it is not there yet. What is known stays while it is read again, and when it could not be. */
export function Loaded<T>({ resource, lines, children }: LoadedProps<T>) {
  const { data, error, reload } = resource
  if (data === undefined && error === undefined) return <Waiting {...(lines !== undefined && { lines })} />
  return (
    <>
      {error !== undefined && <Failure message={wordsOf(error)} retry={reload} />}
      {data !== undefined && children(data)}
    </>
  )
}
