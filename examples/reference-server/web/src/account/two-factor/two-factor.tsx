import { useState } from 'preact/hooks'
import { api, unwrap } from '../../api.js'
import { Action } from '../../ui/action.js'
import { Badge } from '../../ui/badge.js'
import { plural } from '../../ui/format.js'
import { useFresh } from '../../ui/fresh.js'
import { Section } from '../../ui/page.js'
import { isRefused } from '../../ui/problem.js'
import type { Resource } from '../../ui/resource.js'
import { Loaded } from '../../ui/states.js'
import { NewRecoveryCodes } from './new-recovery-codes.js'
import { RecoveryCodes } from './recovery-codes.js'
import { SetUp, type Setup } from './set-up.js'
import { TurnOff } from './turn-off.js'

interface Status {
  readonly enabled: boolean
  readonly recoveryCodesLeft: number
}

type Open = { readonly setup: Setup } | { readonly codes: readonly string[] } | 'new-codes' | 'off'

/** Fewer are soon none. */
const fewCodes = 3

/** Two-factor authentication: its state, and all that is done about it. */
export function TwoFactor({ status }: { status: Resource<Status> }) {
  const withFresh = useFresh()
  const [open, setOpen] = useState<Open>()
  const close = () => setOpen(undefined)
  // A panel without it has no such address.
  if (isRefused(status.error, 'not_found')) return null

  const setUp = async () => setOpen({ setup: await withFresh(() => unwrap(api.GET('/api/auth/2fa/setup'))) })
  const showCodes = (codes: readonly string[]) => {
    setOpen({ codes })
    void status.reload()
  }
  const isOn = status.data?.enabled === true
  return (
    <Section
      title="Two-factor authentication"
      hint="After the password, a code of an app on your phone is asked for. A stolen password alone lets nobody in."
      actions={status.data && <Badge variant={isOn ? 'success' : 'secondary'}>{isOn ? 'On' : 'Off'}</Badge>}
    >
      <Loaded resource={status} lines={2}>
        {({ enabled, recoveryCodesLeft }) =>
          enabled ? (
            <>
              <Left count={recoveryCodesLeft} />
              <div class="buttons">
                <button type="button" class="outline small" onClick={() => setOpen('new-codes')}>
                  New recovery codes
                </button>
                <Action onAction={setUp}>Move to another app</Action>
                <button type="button" class="outline small" data-variant="danger" onClick={() => setOpen('off')}>
                  Turn off
                </button>
              </div>
            </>
          ) : (
            <div class="buttons">
              <Action class="" onAction={setUp}>
                Set up two-factor authentication
              </Action>
            </div>
          )
        }
      </Loaded>
      {open === 'new-codes' && <NewRecoveryCodes onCodes={showCodes} onClose={close} />}
      {open === 'off' && <TurnOff onDone={status.reload} onClose={close} />}
      {typeof open === 'object' && 'setup' in open && (
        <SetUp setup={open.setup} isMove={isOn} onCodes={showCodes} onClose={close} />
      )}
      {typeof open === 'object' && 'codes' in open && <RecoveryCodes codes={open.codes} onClose={close} />}
    </Section>
  )
}

function Left({ count }: { count: number }) {
  if (count > fewCodes) return <p>{plural(count, 'recovery code')} left, each for one sign-in without the app.</p>
  return (
    <p class="notice" data-variant="warning">
      {count === 0 ? 'No recovery code is left' : `Only ${plural(count, 'recovery code')} left`}. Make new ones: without
      them and without the app you cannot sign in.
    </p>
  )
}
