import type { Account } from '@sallyport/relay/client'
import { type ComponentChildren, createContext } from 'preact'
import { useCallback, useContext, useEffect, useMemo, useState } from 'preact/hooks'
import { api, PanelProblem, unwrap } from './api.js'

export type SignedInUser = Account

/** Who is at the page. `undefined`: not known yet; `null`: nobody. */
export interface Session {
  readonly user: SignedInUser | null | undefined
  /** Why it is not known. */
  readonly error: unknown
  /** Asks the panel again: after a sign-in, or when a request was refused. */
  reload(): Promise<void>
  signOut(): Promise<void>
  /** Whether the user holds a permission such as `users:read`. */
  may(permission: string): boolean
}

const Context = createContext<Session | undefined>(undefined)

export function SessionProvider({ children }: { children: ComponentChildren }) {
  const [user, setUser] = useState<SignedInUser | null | undefined>(undefined)
  const [error, setError] = useState<unknown>(undefined)

  const reload = useCallback(async () => {
    try {
      const answer = await unwrap(api.GET('/api/auth/session'))
      setUser(answer.user)
      setError(undefined)
    } catch (failure) {
      if (failure instanceof PanelProblem && failure.status === 401) {
        setUser(null)
        setError(undefined)
      } else {
        // Whoever has just signed in must not be shown the sign-in again: that it is not known is said instead.
        setUser((before) => before ?? undefined)
        setError(failure)
      }
    }
  }, [])
  const signOut = useCallback(async () => {
    await unwrap(api.POST('/api/auth/logout'))
    setUser(null)
  }, [])
  useEffect(() => void reload(), [reload])

  // A session that was ended elsewhere: any refused request leads back to the sign-in.
  const isSignedIn = Boolean(user)
  useEffect(() => {
    const watch = {
      onResponse: ({ response, schemaPath }: { response: Response; schemaPath: string }) => {
        // A wrong password or code is 401 as well, and 403 whoever may do less than before: how it is now is asked.
        if ([401, 403].includes(response.status) && schemaPath !== '/api/auth/session' && isSignedIn) void reload()
      },
    }
    api.use(watch)
    return () => api.eject(watch)
  }, [reload, isSignedIn])

  const session = useMemo(
    () => ({
      user,
      error,
      reload,
      signOut,
      may: (permission: string) => grants(user?.permissions ?? [], permission),
    }),
    [user, error, reload, signOut],
  )
  return <Context.Provider value={session}>{children}</Context.Provider>
}

export function useSession(): Session {
  const session = useContext(Context)
  if (!session) throw new Error('useSession is for what is inside SessionProvider')
  return session
}

/** The user, where there is one: pages of who is signed in. */
export function useUser(): SignedInUser {
  const { user } = useSession()
  if (!user) throw new Error('useUser is for pages of who is signed in')
  return user
}

/** `*` grants all, `a:*` all actions of `a`, and nothing else grants more than its own words. */
export function grants(held: readonly string[], permission: string): boolean {
  const [resource] = permission.split(':')
  return held.some((one) => one === '*' || one === permission || one === `${resource}:*`)
}
