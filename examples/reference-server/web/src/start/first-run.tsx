import type { Allocation, Device } from '@sallyport/relay/client'
import { EnrolCommand } from '../devices/enrol-command.js'
import { isAgent, isPending } from '../devices/kinds.js'
import { useNow } from '../devices/use-now.js'
import { ApproveStep } from './approve-step.js'
import { CreateStep } from './create-step.js'
import { PlayStep } from './play-step.js'
import { StartAgentStep } from './start-agent-step.js'
import { Step, Steps } from './step.js'

interface FirstRunProps {
  readonly devices: readonly Device[]
  readonly allocations: readonly Allocation[]
  /** To what a panel with tunnels shows. */
  readonly onLeave: () => void
}

/** From an empty panel to the first player, step by step; what happens elsewhere shows by itself. */
export function FirstRun({ devices, allocations, onLeave }: FirstRunProps) {
  const now = useNow()
  const agents = devices.filter(isAgent)
  const pending = devices.filter((device) => isPending(device, now) && device.kind === 'client')
  const hasAsked = agents.length > 0 || pending.length > 0
  const online = agents.filter((device) => device.online)
  const hasTunnel = allocations.length > 0
  return (
    <section class="card section" aria-label="Your first tunnel">
      <p class="lead">
        A tunnel makes the game server on your machine reachable from the internet, without changing your router. Five
        short steps lead to the first player.
      </p>
      <Steps>
        <Step
          title="Fetch the agent on your machine"
          state={hasAsked ? 'done' : 'now'}
          summary={
            agents.length > 0 ? 'The machine has asked this panel.' : 'Your machine has asked: it shows a code now.'
          }
        >
          <EnrolCommand />
        </Step>
        <ApproveStep pending={pending} approved={agents} isNow={agents.length === 0} isReady={hasAsked} />
        <StartAgentStep devices={agents} isNow={agents.length > 0} />
        <CreateStep devices={online} hasTunnel={hasTunnel} />
        <PlayStep allocations={allocations} />
      </Steps>
      {hasTunnel && (
        <p class="hstack">
          <button type="button" onClick={onLeave}>
            Go to the overview
          </button>
          <a href="/tunnels">Limits, rules and more tunnels</a>
        </p>
      )}
    </section>
  )
}
