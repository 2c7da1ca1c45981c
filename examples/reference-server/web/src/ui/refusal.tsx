import { useEffect, useState } from 'preact/hooks'
import { PanelProblem, wordsOf } from '../api.js'

/** Why something was refused; how long there is to wait is counted down. */
export function Refusal({ error, message = wordsOf(error) }: { error: unknown; message?: string }) {
  const seconds = error instanceof PanelProblem && error.status === 429 ? error.retryAfterSeconds : undefined
  return (
    <div role="alert" data-variant="danger">
      {seconds === undefined ? message : <Countdown message={message} seconds={seconds} />}
    </div>
  )
}

/** Screen readers are told once how long it takes, not every second. */
function Countdown({ message, seconds }: { message: string; seconds: number }) {
  const left = useSecondsLeft(seconds)
  return (
    <>
      <span class="visually-hidden">{message}</span>
      <span aria-hidden="true">
        {left > 0 ? (
          <>
            Too many tries. You can try again in <span class="clock">{clock(left)}</span>.
          </>
        ) : (
          'You can try again now.'
        )}
      </span>
    </>
  )
}

/** Seconds that are left of `seconds`; it begins again when that, or `turn`, is another. */
export function useSecondsLeft(seconds: number, turn: unknown = undefined): number {
  const [left, setLeft] = useState(seconds)
  // Another turn begins anew.
  useEffect(() => {
    const endsAt = Date.now() + seconds * 1_000
    setLeft(seconds)
    const timer = setInterval(() => {
      const now = Math.max(0, Math.ceil((endsAt - Date.now()) / 1_000))
      setLeft(now)
      if (now === 0) clearInterval(timer)
    }, 1_000)
    return () => clearInterval(timer)
  }, [seconds, turn])
  return left
}

/** `1:05`. */
export function clock(seconds: number): string {
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
}
