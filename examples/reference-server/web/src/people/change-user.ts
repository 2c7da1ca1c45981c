import type { User } from '@sallyport/relay/client'
import { api, unwrap } from '../api.js'

/** What may be changed of a user; what is left out stays. */
export interface UserChange extends Partial<Pick<User, 'email' | 'name' | 'permissions' | 'suspended'>> {
  readonly password?: string
  /** `null` lifts one. */
  readonly quotas?: Record<string, number | null>
}

export async function changeUser(id: string, body: UserChange): Promise<User> {
  const { user } = await unwrap(api.PATCH('/api/users/{id}', { params: { path: { id } }, body }))
  return user
}

export interface UserEditProps {
  readonly user: User
  readonly isSelf: boolean
  readonly change: (body: UserChange) => Promise<void>
}

export interface UserDialogProps extends UserEditProps {
  readonly onClose: () => void
}
