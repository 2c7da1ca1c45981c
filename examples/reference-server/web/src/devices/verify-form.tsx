import type { Device } from '@sallyport/relay/client'
import { useRef, useState } from 'preact/hooks'
import { useLive } from '../live.js'
import { useSession } from '../session.js'
import { Form, type FormFields, Submit, TextField } from '../ui/form.js'
import { inPlainWords, normalised, useApproval } from './approval.js'
import { isPending } from './kinds.js'
import { OwnerFields, readOwner, useOwnerChoice } from './owner-fields.js'
import { RequestFacts } from './request-facts.js'
import { useNow } from './use-now.js'
import { Approved, Denied } from './verify-outcome.js'

type Outcome =
  | { readonly kind: 'approved'; readonly device: Device }
  | { readonly kind: 'denied'; readonly name: string }

/** Shows which device asks, and lets it in or not. */
export function VerifyForm({ code: given }: { code: string }) {
  const [typed, setTyped] = useState(given)
  const [outcome, setOutcome] = useState<Outcome>()
  /** Which of the two buttons sends the form. */
  const refusing = useRef(false)
  const { approve, deny } = useApproval()
  const choice = useOwnerChoice()
  const known = useKnown(typed)
  const { pending } = known

  if (outcome?.kind === 'approved') return <Approved device={outcome.device} />
  if (outcome?.kind === 'denied') return <Denied name={outcome.name} />

  const send = async (fields: FormFields) => {
    const isRefusing = refusing.current
    refusing.current = false
    try {
      setOutcome(isRefusing ? await refuse(fields) : await letIn(fields))
    } catch (error) {
      throw inPlainWords(error)
    }
  }
  const letIn = async (fields: FormFields): Promise<Outcome> => {
    const [userCode, name] = [fields.text('userCode'), fields.text('name')]
    const device = await approve({ userCode, ...(name && { name }), ...readOwner(fields, choice) })
    return { kind: 'approved', device }
  }
  const refuse = async (fields: FormFields): Promise<Outcome> => {
    await deny(fields.text('userCode'))
    return { kind: 'denied', name: pending?.name ?? 'The device' }
  }

  return (
    <section class="card section" aria-label="The device that asks">
      <Form onSubmit={send}>
        <p class="notice">
          <strong>Approve only what your own machine shows.</strong> If somebody has sent you this link or code, their
          machine gets in.
        </p>
        <TextField
          label="Code on the machine"
          name="userCode"
          value={typed}
          onInput={(event) => setTyped((event.target as HTMLInputElement).value)}
          autocomplete="off"
          autocapitalize="characters"
          spellcheck={false}
          maxLength={32}
          placeholder="BCDF-2345"
          required
          autoFocus={given === ''}
        />
        <Found known={known} />
        {pending && (
          <>
            <p class="question">Is this the code that your machine shows?</p>
            <TextField
              key={pending.id}
              label="Name"
              name="name"
              defaultValue={pending.name}
              maxLength={100}
              autocomplete="off"
              required
            />
          </>
        )}
        <OwnerFields choice={choice} pending={pending} />
        <div class="verify-actions">
          <Submit>Approve</Submit>
          <button
            type="submit"
            class="outline"
            data-variant="danger"
            // Whatever stands in the other fields.
            formNoValidate
            disabled={typed.trim() === ''}
            onClick={() => {
              refusing.current = true
            }}
          >
            Deny
          </button>
        </div>
      </Form>
    </section>
  )
}

interface Known {
  readonly pending: Device | undefined
  /** It had the code, and is approved. */
  readonly approved: Device | undefined
  /** The code is whole, and whoever looks sees every device: nobody waits with it. */
  readonly isUnknown: boolean
}

/** What is known of the code, for who sees devices. */
function useKnown(typed: string): Known {
  const { devices } = useLive()
  const { may } = useSession()
  const now = useNow()
  const code = normalised(typed)
  const having = devices?.filter(({ userCode }) => userCode === code) ?? []
  const pending = having.find((device) => isPending(device, now))
  const approved = having.find((device) => device.approved)
  const isUnknown = code !== undefined && devices !== undefined && may('tunnels:read') && !pending && !approved
  return { pending, approved, isUnknown }
}

function Found({ known: { pending, approved, isUnknown } }: { known: Known }) {
  return (
    <div role="status">
      {pending && <RequestFacts device={pending} />}
      {!pending && approved && (
        <p class="notice">
          This code has been used: <strong class="name">{approved.name}</strong> is approved already.
        </p>
      )}
      {isUnknown && (
        <p class="notice">
          No device waits with this code. It may have expired, or been denied: then run the command on the machine again
          for a new one.
        </p>
      )}
    </div>
  )
}
