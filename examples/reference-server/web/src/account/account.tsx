import { api, unwrap } from '../api.js'
import { Page } from '../ui/page.js'
import { useResource } from '../ui/resource.js'
import { Passkeys } from './passkeys/passkeys.js'
import { Profile } from './profile.js'
import { Sessions } from './sessions/sessions.js'
import { TwoFactor } from './two-factor/two-factor.js'

/** Who one is here, and how one proves it. */
export function Account() {
  const twoFactor = useResource(() => unwrap(api.GET('/api/auth/2fa')))
  const sessions = useResource(async () => (await unwrap(api.GET('/api/auth/sessions'))).sessions)
  return (
    <Page title="Account and security">
      <Profile onPasswordChanged={sessions.reload} />
      <TwoFactor status={twoFactor} />
      <Passkeys hasSecondFactor={twoFactor.data?.enabled === true} />
      <Sessions sessions={sessions} />
    </Page>
  )
}
