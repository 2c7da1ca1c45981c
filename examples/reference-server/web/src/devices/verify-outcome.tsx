import type { Device } from '@sallyport/relay/client'
import type { ComponentChildren } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { useLive } from '../live.js'
import { Awaited } from '../start/step.js'
import { CopyBox } from '../ui/copy.js'
import { runCommand } from './commands.js'

/** What has been done is read out: it stands in the place of the form. */
function Outcome({ title, children }: { title: ComponentChildren; children: ComponentChildren }) {
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => heading.current?.focus(), [])
  return (
    <section class="card section">
      <h2 ref={heading} tabIndex={-1} class="outcome">
        {title}
      </h2>
      {children}
    </section>
  )
}

export function Approved({ device }: { device: Device }) {
  const { devices } = useLive()
  const { name, kind, online } = devices?.find(({ id }) => id === device.id) ?? device
  const isRelay = kind === 'server'
  return (
    <Outcome
      title={
        <>
          <bdi class="name">{name}</bdi> is approved
        </>
      }
    >
      <p>The machine gets its token by itself within a few seconds.</p>
      {online ? (
        <p role="status" class="arrived">
          <strong>It is online.</strong> {isRelay ? 'New tunnels can use it.' : 'Players can be brought to it.'}
        </p>
      ) : (
        <>
          {isRelay ? (
            <p>
              Then start the relay there. <a href="/relays">Relays</a> has the command, under “Add a relay”.
            </p>
          ) : (
            <>
              <p>Then start the agent there:</p>
              <CopyBox text={runCommand} label="Command that starts the agent" />
            </>
          )}
          <Awaited>Waiting for it to come online.</Awaited>
        </>
      )}
      <p class="hstack">
        <a class="button" href={isRelay ? '/relays' : '/'}>
          {isRelay ? 'Go to the relays' : 'Go to the overview'}
        </a>
        <a href="/devices">Devices</a>
      </p>
    </Outcome>
  )
}

export function Denied({ name }: { name: string }) {
  return (
    <Outcome
      title={
        <>
          <bdi class="name">{name}</bdi> is denied
        </>
      }
    >
      <p>
        It gets no access, and its machine is told so. If it was yours after all, run the command there again for a new
        code.
      </p>
      <p class="hstack">
        <a class="button" href="/">
          Go to the overview
        </a>
        <a href="/devices">Devices</a>
      </p>
    </Outcome>
  )
}
