import { useState } from 'preact/hooks'
import { useLocation } from 'preact-iso/router'
import { useLive } from '../live.js'
import { Dialog } from '../ui/dialog.js'
import { LiveLists, type LiveListsOf } from '../ui/live-lists.js'
import { Page } from '../ui/page.js'
import { say } from '../ui/say.js'
import { Empty } from '../ui/states.js'
import { CreateTunnel } from './create-tunnel.js'
import { addressOf } from './pairs.js'
import { TunnelList } from './tunnel-list.js'

/** All tunnels that one may see, live. */
export function Tunnels() {
  const { devices, state } = useLive()
  const { route } = useLocation()
  const [isCreating, setCreating] = useState(false)
  const button = devices && state !== 'disabled' && (
    <button type="button" onClick={() => setCreating(true)}>
      Create tunnel
    </button>
  )
  return (
    <Page title="Tunnels" actions={button}>
      <LiveLists lines={8}>{(lists) => <List {...lists} />}</LiveLists>
      {isCreating && (
        <Dialog title="Create tunnel" onClose={() => setCreating(false)}>
          <CreateTunnel
            devices={devices ?? []}
            onCancel={() => setCreating(false)}
            onDone={([made]) => {
              setCreating(false)
              if (!made) return
              say(`Players can join at ${addressOf(made)}`)
              route(`/tunnels/${made.id}`)
            }}
          />
        </Dialog>
      )}
    </Page>
  )
}

function List({ allocations, devices }: LiveListsOf) {
  if (allocations.length > 0) return <TunnelList allocations={allocations} devices={devices} />
  const hasDevice = devices.some(({ approved, kind }) => approved && kind === 'client')
  return (
    <section class="card">
      <Empty title="No tunnels yet">
        <p class="text-light">
          A tunnel is a public address that leads to a game server at home, without a change to the router there.{' '}
          {hasDevice ? 'Create one: it takes three fields.' : 'First connect the machine that the game server runs on.'}
        </p>
        {!hasDevice && (
          <p>
            <a class="button" href="/devices">
              Connect a device
            </a>
          </p>
        )}
      </Empty>
    </section>
  )
}
