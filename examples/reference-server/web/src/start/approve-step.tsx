import type { Device } from '@sallyport/relay/client'
import { PendingDevice } from '../devices/pending-device.js'
import { useSession, useUser } from '../session.js'
import { plural } from '../ui/format.js'
import { Awaited, Step } from './step.js'

interface ApproveStepProps {
  readonly pending: readonly Device[]
  readonly approved: readonly Device[]
  /** A device has asked, as far as the user may know. */
  readonly isReady: boolean
  /** None is approved so far. */
  readonly isNow: boolean
}

/** Anybody can ask for an approval: more than these are looked for by their code. */
const mostShown = 3

/** The device shows up by itself; who may approve does it here, everybody else is told whom to ask. */
export function ApproveStep({ pending, approved, isNow, isReady }: ApproveStepProps) {
  const { may } = useSession()
  const mayApprove = may('tunnels:approve')
  // Who may not approve sees no device before somebody else has approved it.
  const state = !isNow ? 'done' : isReady || !mayApprove ? 'now' : 'later'
  const summary =
    state === 'done' ? (
      <>
        <bdi class="name">{approved[0]?.name}</bdi> is approved.
      </>
    ) : (
      'The machine appears here as soon as it asks.'
    )
  return (
    <Step title="Approve the device" state={state} summary={summary}>
      {mayApprove ? (
        <>
          {pending.slice(0, mostShown).map((device) => (
            <PendingDevice key={device.id} device={device} />
          ))}
          {pending.length > mostShown && (
            <p>
              {plural(pending.length - mostShown, 'other device waits', 'other devices wait')}.{' '}
              <a href="/tunnel/verify">Enter your machine’s code</a>
            </p>
          )}
          <p class="text-light">Approve only a code that you see on your own machine.</p>
        </>
      ) : (
        <AskSomebody />
      )}
    </Step>
  )
}

function AskSomebody() {
  const { email } = useUser()
  return (
    <>
      <p>
        Your machine shows a code and a link. Send the link to an administrator of this panel and ask them to approve
        the device for <strong class="name">{email}</strong>: you may not approve devices yourself.
      </p>
      <Awaited>Waiting for the approval. This page goes on by itself.</Awaited>
    </>
  )
}
