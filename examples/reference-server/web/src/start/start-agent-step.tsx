import type { Device } from '@sallyport/relay/client'
import { agentServiceCommand, runCommand } from '../devices/commands.js'
import { CopyBox } from '../ui/copy.js'
import { Awaited, Step } from './step.js'

interface StartAgentStepProps {
  /** Approved agents that it may be. */
  readonly devices: readonly Device[]
  /** One is approved. */
  readonly isNow: boolean
}

export function StartAgentStep({ devices, isNow }: StartAgentStepProps) {
  const online = devices.find((device) => device.online)
  const summary = online ? (
    <>
      <bdi class="name">{online.name}</bdi> is online.
    </>
  ) : (
    'One more command on the same machine.'
  )
  return (
    <Step title="Start the agent" state={online ? 'done' : isNow ? 'now' : 'later'} summary={summary}>
      <p>On the same machine, in the same folder, run this and leave the terminal open:</p>
      <CopyBox text={runCommand} label="Command that starts the agent" />
      <Awaited>
        Waiting for <bdi class="name">{devices.length === 1 ? devices[0]?.name : 'the agent'}</bdi> to come online.
      </Awaited>
      <KeepRunning />
    </Step>
  )
}

/** For when it works: without a terminal, and after a restart of the machine. */
export function KeepRunning() {
  return (
    <details class="quiet">
      <summary>Keep it running without a terminal</summary>
      <div>
        <p>On Linux with systemd, this makes it a service that starts with the machine:</p>
        <CopyBox text={agentServiceCommand} label="Command that makes the agent a service" />
        <p>
          Elsewhere let any service manager start <code>{runCommand}</code>: it stays in the foreground and ends on a
          signal.
        </p>
      </div>
    </details>
  )
}
