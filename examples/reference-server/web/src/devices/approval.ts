import type { Device } from '@sallyport/relay/client'
import { useCallback } from 'preact/hooks'
import { api, unwrap } from '../api.js'
import { useLive } from '../live.js'
import { reworded } from '../ui/problem.js'

export interface ApprovalWishes {
  readonly userCode: string
  readonly name?: string
  readonly ownerId?: string
  readonly organisationId?: string
}

export interface Approval {
  approve(wishes: ApprovalWishes): Promise<Device>
  deny(userCode: string): Promise<void>
}

/** Lets a device in, or not, and shows it at once. */
export function useApproval(): Approval {
  const { apply, devices } = useLive()
  const approve = useCallback(
    async (body: ApprovalWishes) => {
      const { device } = await unwrap(api.POST('/api/tunnel/device/approve', { body }))
      apply('devices', { items: [device] })
      return device
    },
    [apply],
  )
  const deny = useCallback(
    async (userCode: string) => {
      await unwrap(api.POST('/api/tunnel/device/deny', { body: { userCode } }))
      const gone = devices?.filter((device) => !device.approved && device.userCode === normalised(userCode)) ?? []
      apply('devices', { removed: gone.map(({ id }) => id) })
    },
    [apply, devices],
  )
  return { approve, deny }
}

/** As the panel writes it, whatever a person types: `abcd 1234` is `ABCD-1234`. Undefined for what can be no code. */
export function normalised(typed: string): string | undefined {
  const letters = typed.toUpperCase().replace(/[\s._–—-]/g, '')
  return /^[A-Z0-9]{8}$/.test(letters) ? `${letters.slice(0, 4)}-${letters.slice(4)}` : undefined
}

/** Refusals that say more to a person in other words than the panel's. */
const words: Readonly<Record<string, string>> = {
  not_found:
    'No device waits with this code. Compare it with what the machine shows: a command that was started anew has another.',
  already_approved: 'This code has been used: its device is approved already.',
  enrolment_expired: 'This code has expired. Run the command on the machine again for a new one.',
  enrolment_denied: 'This code was denied. Run the command on the machine again for a new one.',
  owner_unknown: 'There is no such user, or they are suspended.',
}

/** A refusal of an approval or a denial, as a page says it. */
export function inPlainWords(error: unknown): unknown {
  return reworded(error, words)
}
