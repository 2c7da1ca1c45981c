import type { Device, Organisation, User } from '@sallyport/relay/client'
import { useCallback } from 'preact/hooks'
import { api, unwrap } from '../api.js'
import { useSession, useUser } from '../session.js'
import { useResource } from '../ui/resource.js'

export interface Owner {
  readonly text: string
  /** More of it, where one points at it. */
  readonly title?: string
}

const pageLength = 500
/** Beyond this many, owners are told by what is known without their names. */
const maxRead = 5_000

/** Says whose something is, as far as the user may know. */
export function useOwnerNames(): (owned: Pick<Device, 'ownerId' | 'organisationId'>) => Owner {
  const { may } = useSession()
  const me = useUser()
  const mayRead = may('users:read')
  const organisations = useOrganisations()
  const users = useResource(async () =>
    mayRead ? new Map((await allUsers()).map((user) => [user.id, user])) : undefined,
  )
  const organisationsById = organisations.data
  const usersById = users.data
  return useCallback(
    ({ ownerId, organisationId }) => {
      const organisation = organisationsById?.find(({ id }) => id === organisationId)?.name
      const user = ownerId === null ? undefined : usersById?.get(ownerId)
      const person =
        ownerId === me.id ? 'You' : user ? (user.name ?? user.email) : ownerId === null ? undefined : 'Someone else'
      const title = user?.email
      const text = organisationId === null ? (person ?? 'Nobody') : (organisation ?? 'An organisation')
      if (organisationId !== null) return { text, title: person ? `Enrolled for: ${title ?? person}` : text }
      return title ? { text, title } : { text }
    },
    [organisationsById, usersById, me.id],
  )
}

/** Those that the user is in; for who may see all, all. */
export function useOrganisations() {
  return useResource<readonly Organisation[]>(async () => {
    const query = { limit: pageLength }
    return (await unwrap(api.GET('/api/organisations', { params: { query } }))).organisations
  })
}

export async function allUsers(): Promise<User[]> {
  const users: User[] = []
  for (;;) {
    const query = { limit: pageLength, offset: users.length }
    const page = await unwrap(api.GET('/api/users', { params: { query } }))
    users.push(...page.users)
    if (page.users.length === 0 || users.length >= Math.min(page.total, maxRead)) return users
  }
}
