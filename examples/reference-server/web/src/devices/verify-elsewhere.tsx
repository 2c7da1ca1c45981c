import { useUser } from '../session.js'
import { CopyBox } from '../ui/copy.js'
import { normalised } from './approval.js'

/** For who may not approve: whom to ask, and what to send. */
export function VerifyElsewhere({ code }: { code: string }) {
  const { email } = useUser()
  const link = normalised(code) ? `${location.origin}/tunnel/verify?user_code=${code}` : undefined
  return (
    <section class="card section">
      <h2>Somebody else has to approve it</h2>
      {normalised(code) && <p class="user-code">{code}</p>}
      <p>
        You may not approve devices on this panel. Ask an administrator to approve{' '}
        {link ? 'this code' : 'the code that your machine shows'} and to make you, <strong class="name">{email}</strong>
        , the owner
        {link ? '. Send them this link while the machine is waiting:' : '.'}
      </p>
      {link && <CopyBox text={link} label="Link for an administrator" />}
      <p class="text-light">The device appears under Devices as soon as it is approved.</p>
    </section>
  )
}
