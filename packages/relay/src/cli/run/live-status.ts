import type { Agent } from '../../agent-types.js'
import type { CliContext } from '../context.js'
import { createLiveArea } from '../terminal/live-area.js'
import { styleFor } from '../terminal/style.js'
import { canRedraw } from '../terminal/terminal.js'
import { Rates } from './rates.js'
import type { RunBoard } from './run-board.js'
import { statusLines } from './status-lines.js'

const EVERY_MS = 1_000

/** On a terminal, keeps the agent's status below the lines that it writes; elsewhere does nothing. Gives what ends it. */
export function showLiveStatus(context: CliContext, agent: Agent, board: RunBoard): () => void {
  const { output, stdout, env } = context
  if (!canRedraw(context, stdout)) return () => {}
  const style = styleFor(stdout, env)
  const rates = new Rates()
  const area = createLiveArea(stdout, (left) => `... and ${left} more`)
  output.around(area.above)
  const look = () => {
    const taken = rates.take(agent.traffic(), performance.now())
    area.show(statusLines({ board, links: agent.links(), refusals: agent.refusals(), rates: taken }, style))
  }
  const timer = setInterval(look, EVERY_MS)
  // What has changed is seen sooner than at the next second.
  const offs = [agent.on('link', look), agent.on('rejected', look), agent.on('recovered', look)]
  look()
  return () => {
    clearInterval(timer)
    for (const off of offs) off()
    output.around(undefined)
    area.end()
  }
}
