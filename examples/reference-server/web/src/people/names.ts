import { allUsers } from '../devices/owner-names.js'
import { useSession } from '../session.js'
import { useResource } from '../ui/resource.js'

const nobody: ReadonlyMap<string, string> = new Map()

/** E-mail addresses of users by their ids, for whoever may see users; of themselves for everyone. */
export function useEmails(): ReadonlyMap<string, string> {
  const { user, may } = useSession()
  const mayRead = may('users:read')
  const { data } = useResource(
    async () => (mayRead ? new Map((await allUsers()).map(({ id, email }) => [id, email])) : undefined),
    String(mayRead),
  )
  return data ?? (user ? new Map([[user.id, user.email]]) : nobody)
}
