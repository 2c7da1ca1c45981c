import type { Device } from '@sallyport/relay/client'
import { useSession, useUser } from '../session.js'

/** Whether whoever is signed in may change what belongs to a device: its owner, who manages its organisation, an administrator. */
export function useMayChange(): (device: Device | undefined) => boolean {
  const { may } = useSession()
  const { id, memberships } = useUser()
  return (device) => {
    if (may('tunnels:write')) return true
    if (!device) return false
    const owns = device.ownerId === id
    if (device.organisationId === null) return owns
    const role = memberships.find(({ organisationId }) => organisationId === device.organisationId)?.role
    return role !== undefined && (role !== 'member' || owns)
  }
}
