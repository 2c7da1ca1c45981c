import { useState } from 'preact/hooks'
import { useLive } from '../live.js'
import { useSession } from '../session.js'
import { LiveLists } from '../ui/live-lists.js'
import { Page } from '../ui/page.js'
import { Empty } from '../ui/states.js'
import { AddRelay } from './add-relay.js'
import { RelayTable } from './relay-table.js'

/** Where players arrive: the panel's own relay, and others on servers elsewhere. */
export function Relays() {
  const { may } = useSession()
  const [adding, setAdding] = useState(false)
  const { state } = useLive()
  const mayAdd = may('tunnels:approve') && state !== 'disabled'
  const add = (words: string) => (
    <button type="button" onClick={() => setAdding(true)}>
      {words}
    </button>
  )
  return (
    <Page title="Relays" actions={mayAdd && add('Add a relay')}>
      <LiveLists>
        {({ relays }) => (
          <section class="card section" aria-label="Relays">
            {relays.length === 0 ? (
              <Empty title="No relays yet">
                <p class="text-light">
                  A relay has the public ports where players arrive. Tunnels need one.{' '}
                  {!mayAdd && 'An administrator of this panel can add it.'}
                </p>
                {mayAdd && add('Add the first relay')}
              </Empty>
            ) : (
              <RelayTable relays={relays} />
            )}
          </section>
        )}
      </LiveLists>
      {adding && <AddRelay onClose={() => setAdding(false)} />}
    </Page>
  )
}
