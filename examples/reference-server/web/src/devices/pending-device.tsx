import type { Device } from '@sallyport/relay/client'
import { wordsOf } from '../api.js'
import { Action } from '../ui/action.js'
import { Time } from '../ui/format.js'
import { inPlainWords, useApproval } from './approval.js'
import { kindName } from './kinds.js'

/** A device that waits, with its code to be compared. */
export function PendingDevice({ device }: { device: Device }) {
  const { approve, deny } = useApproval()
  const { name, userCode, createdAt } = device
  const attempt = async (action: () => Promise<unknown>) => {
    try {
      await action()
    } catch (error) {
      throw new Error(wordsOf(inPlainWords(error)))
    }
  }
  return (
    <fieldset class="pending">
      <legend class="visually-hidden">{name} waits for approval</legend>
      <p>
        <strong class="name">{name}</strong>{' '}
        <span class="text-light">
          {kindName(device)}, asked <Time at={createdAt} />
        </span>
      </p>
      <p class="user-code">{userCode}</p>
      <p>Is this the code that your machine shows?</p>
      <div class="hstack">
        <Action
          class=""
          label={`Yes, approve ${name}`}
          done={`${name} is approved`}
          onAction={() => attempt(() => approve({ userCode }))}
        >
          Yes, approve
        </Action>
        <Action
          class="outline"
          danger
          label={`No, deny ${name}`}
          done={`${name} is denied`}
          onAction={() => attempt(() => deny(userCode))}
        >
          No, deny
        </Action>
        <a href={`/tunnel/verify?user_code=${userCode}`} aria-label={`More choices for ${name}`}>
          More choices
        </a>
      </div>
    </fieldset>
  )
}
