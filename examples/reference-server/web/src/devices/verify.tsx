import { useLocation } from 'preact-iso/router'
import { useLive } from '../live.js'
import { useSession } from '../session.js'
import { LiveLists } from '../ui/live-lists.js'
import { Page } from '../ui/page.js'
import { Waiting } from '../ui/states.js'
import { normalised } from './approval.js'
import { VerifyElsewhere } from './verify-elsewhere.js'
import { VerifyForm } from './verify-form.js'

const longestCode = 32

/** Where the command's link and QR code lead: `/tunnel/verify?user_code=BCDF-2345`. */
export function Verify() {
  const { query } = useLocation()
  const { may } = useSession()
  const { state, devices } = useLive()
  const given = (query['user_code'] ?? '').slice(0, longestCode)
  const code = normalised(given) ?? given
  // Which device it is stands in the middle of the form: nothing is shown before that is known.
  const isAwaited = given !== '' && devices === undefined && state !== 'lost'
  return (
    <Page title="Approve a device">
      <div class="verify">
        {state === 'disabled' ? (
          <section class="card section">
            <LiveLists>{() => null}</LiveLists>
          </section>
        ) : isAwaited ? (
          <section class="card section">
            <Waiting lines={8} />
          </section>
        ) : may('tunnels:approve') ? (
          <VerifyForm key={code} code={code} />
        ) : (
          <VerifyElsewhere code={code} />
        )}
      </div>
    </Page>
  )
}
