import type { Member } from '@sallyport/relay/client'
import { api, unwrap } from '../api.js'
import { inWords } from './refusals.js'
import type { Role } from './roles.js'

/** Adds somebody, or changes their role. */
export async function putMember(organisationId: string, userId: string, role: Role): Promise<Member> {
  const path = { id: organisationId, userId }
  const request = unwrap(api.PUT('/api/organisations/{id}/members/{userId}', { params: { path }, body: { role } }))
  const { member } = await inWords(request, {
    ...lastOwner,
    not_found: 'There is no user with this ID, or the organisation is gone.',
  })
  return member
}

export const lastOwner = {
  last_owner: 'This is the only owner. Make another member an owner first, or delete the organisation.',
}
