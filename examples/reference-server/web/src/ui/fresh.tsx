import { type ComponentChildren, createContext } from 'preact'
import { useCallback, useContext, useRef, useState } from 'preact/hooks'
import { Cancelled } from './form.js'
import { isRefused } from './problem.js'
import { Reauthenticate } from './reauthenticate.js'
import { findWays, type Way } from './ways.js'

/** Does something that may need a fresh sign-in: asks for it when the panel does, and then does it. */
export type WithFresh = <T>(action: () => Promise<T>) => Promise<T>

const Context = createContext<WithFresh | undefined>(undefined)

interface Waiting {
  resolve(): void
  reject(error: unknown): void
}

export function FreshProvider({ children }: { children: ComponentChildren }) {
  const [ways, setWays] = useState<readonly Way[]>()
  // Several may be refused at one time: one answer is for all of them.
  const waiting = useRef<Waiting[]>([])

  const withFresh = useCallback<WithFresh>(async (action) => {
    try {
      return await action()
    } catch (error) {
      if (!isRefused(error, 'reauthentication_required')) throw error
      const proved = new Promise<void>((resolve, reject) => waiting.current.push({ resolve, reject }))
      if (waiting.current.length === 1) setWays(await findWays())
      await proved
      return action()
    }
  }, [])

  const end = (finish: (one: Waiting) => void) => {
    setWays(undefined)
    for (const one of waiting.current.splice(0)) finish(one)
  }
  return (
    <Context.Provider value={withFresh}>
      {children}
      {ways && (
        <Reauthenticate
          ways={ways}
          onProved={() => end(({ resolve }) => resolve())}
          onCancelled={() => end(({ reject }) => reject(new Cancelled()))}
        />
      )}
    </Context.Provider>
  )
}

export function useFresh(): WithFresh {
  const withFresh = useContext(Context)
  if (!withFresh) throw new Error('useFresh is for what is inside FreshProvider')
  return withFresh
}
