import { useEffect, useState } from 'preact/hooks'

/** The time, anew every so often: for what is told as `3 minutes ago`, or ends by the clock. */
export function useNow(everyMs = 10_000): number {
  const [now, setNow] = useState(Date.now)
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), everyMs)
    return () => clearInterval(timer)
  }, [everyMs])
  return now
}
