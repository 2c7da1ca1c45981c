// An agent of one relay: node agent.mjs '{"module", "relay": AgentRelay, "target"}'.
import { answerCalls, residentBytes } from './calls.mjs'

const { module, relay } = JSON.parse(process.argv[2])
const { createAgent } = await import(module)
const agent = createAgent()
agent.connect(relay)
answerCalls({ residentBytes })
