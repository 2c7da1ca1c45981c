import { useState } from 'preact/hooks'
import { useLocation } from 'preact-iso/router'
import { type Live, useLive, useTrafficOf } from '../live.js'
import { Action } from '../ui/action.js'
import { FormDialog } from '../ui/dialog.js'
import { plural } from '../ui/format.js'
import { say } from '../ui/say.js'
import { pauseAll, removeAll, resumeAll } from './change-allocation.js'
import { addressOf, protocolOf, type Tunnel } from './pairs.js'
import type { TunnelProps } from './tunnel-head.js'

/** Pause, resume and delete: of a pair both halves. */
export function TunnelActions({ allocation, tunnel, device }: TunnelProps) {
  const [asking, setAsking] = useState<'pause' | 'delete'>()
  const isPaused = allocation.status === 'closed'
  const close = () => setAsking(undefined)
  return (
    <>
      <PauseButton tunnel={tunnel} isPaused={isPaused} ask={() => setAsking('pause')} />
      <button type="button" class="outline" data-variant="danger" onClick={() => setAsking('delete')}>
        Delete
      </button>
      {asking === 'pause' && <PauseDialog tunnel={tunnel} onClose={close} />}
      {asking === 'delete' && <DeleteDialog tunnel={tunnel} deviceName={device?.name} onClose={close} />}
    </>
  )
}

/** Asks only when there is somebody to cut. One button for all of it: another would not have the focus. */
function PauseButton({ tunnel, isPaused, ask }: { tunnel: Tunnel; isPaused: boolean; ask: () => void }) {
  const { apply } = useLive()
  const { open } = useTrafficOf(tunnel.halves)
  const turn = async () => {
    if (isPaused) {
      await resumeAll(tunnel.halves, apply)
      say('Players can join again')
    } else if (open > 0) ask()
    else await pause(tunnel, apply)
  }
  return (
    <Action class="outline" onAction={turn}>
      {isPaused ? 'Resume' : 'Pause'}
    </Action>
  )
}

async function pause(tunnel: Tunnel, apply: Live['apply']): Promise<void> {
  await pauseAll(tunnel.halves, apply)
  say('Paused: nobody can join')
}

function PauseDialog({ tunnel, onClose }: { tunnel: Tunnel; onClose: () => void }) {
  const { apply } = useLive()
  return (
    <FormDialog title="Pause tunnel" submit="Pause" onClose={onClose} onSubmit={() => pause(tunnel, apply)}>
      <p>
        <Cut tunnel={tunnel} /> Nobody can join until you resume it. The address stays the same.
      </p>
    </FormDialog>
  )
}

interface DeleteDialogProps {
  readonly tunnel: Tunnel
  readonly deviceName: string | undefined
  readonly onClose: () => void
}

function DeleteDialog({ tunnel, deviceName, onClose }: DeleteDialogProps) {
  const { apply } = useLive()
  const { route } = useLocation()
  const { port } = tunnel.main
  return (
    <FormDialog
      title="Delete tunnel"
      submit="Delete"
      danger
      onClose={onClose}
      onSubmit={async () => {
        // First away from here: the page would say that somebody has deleted it.
        const [address, here] = [addressOf(tunnel.main), location.pathname]
        await removeAll(tunnel.halves, (kind, change) => {
          if (location.pathname === here) route('/tunnels')
          apply(kind, change)
        })
        say(`The tunnel ${address} is deleted`)
      }}
    >
      <p>
        <strong>{addressOf(tunnel.main)}</strong> ({protocolOf(tunnel)}) goes, with its limits and its record of
        traffic. <Cut tunnel={tunnel} />
      </p>
      <p>
        Port {port} is kept for {deviceName === undefined ? 'its device' : <bdi>{deviceName}</bdi>} for a while: a new
        tunnel of that device to the same local port gets it again. After that anyone may be given it.
      </p>
    </FormDialog>
  )
}

function Cut({ tunnel }: { tunnel: Tunnel }) {
  const { open } = useTrafficOf(tunnel.halves)
  return open === 0 ? (
    <>Nobody plays at the moment.</>
  ) : (
    <strong>{plural(open, 'player is', 'players are')} cut.</strong>
  )
}
