// An agent in a process of its own, steered by its parent.
import { type AgentOptions, type AgentRelay, createAgent } from '../../dist/index.js'
import { serveParent } from './serve-parent.js'

const agent = createAgent(JSON.parse(process.argv[2] ?? '{}') as AgentOptions)
let open = 0
agent.on('connection', ({ phase }) => {
  open += phase === 'open' ? 1 : -1
})
serveParent({
  connect: (relay: AgentRelay) => agent.connect(relay),
  links: () => agent.links(),
  open: () => open,
  memory: () => process.memoryUsage(),
})
