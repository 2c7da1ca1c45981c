import { useState } from 'preact/hooks'
import { CopyBox } from '../ui/copy.js'
import { useResource } from '../ui/resource.js'
import { enrolCommand, isOnlyHere, likelySystem, type System } from './commands.js'
import { SystemSwitch } from './system-switch.js'

/** The command that gets a machine at home the agent, and asks this panel for its approval. */
export function EnrolCommand() {
  const [system, setSystem] = useState<System>(likelySystem)
  return (
    <>
      <p>
        Open a terminal on the machine where the game server runs, paste this and press Enter. It fetches the agent, one
        file, from this panel and shows you a code.
      </p>
      <SystemSwitch system={system} onChange={setSystem} />
      <CopyBox text={enrolCommand(system)} label="Command for the machine at home" />
      {isOnlyHere() && (
        <p class="notice">
          You have opened this panel as <strong>{location.hostname}</strong>, so the command works on this machine only.
          For another machine, open the panel by an address that the other machine can reach.
        </p>
      )}
      <ProgramMissing />
      <details class="quiet">
        <summary>What it needs: Node.js 20.19 or newer</summary>
        <div>
          <p>
            Node.js is a free program that runs the agent; nothing else is installed. To see whether the machine has it,
            run <code>node --version</code>: <code>v20.19.0</code> or a higher number is fine.
          </p>
          <p>
            If the command is not found or the number is lower, install it from{' '}
            <a href="https://nodejs.org/en/download" target="_blank" rel="noreferrer">
              nodejs.org
            </a>{' '}
            and open a new terminal.
          </p>
        </div>
      </details>
    </>
  )
}

/** Said before a person wonders why the command fails. */
function ProgramMissing() {
  const program = useResource(async () => {
    const answer = await fetch('/sallyport.mjs', { method: 'HEAD' })
    return { isMissing: answer.status === 404 }
  })
  if (!program.data?.isMissing) return null
  return (
    <div role="alert" data-variant="danger">
      This panel’s copy of the agent is not built, so the command will fail. Whoever runs the panel makes it with{' '}
      <code>node scripts/bundle.mjs</code>.
    </div>
  )
}
