// An agent of one relay: node agent.mjs PORT, the ticket by IPC.
import { createAgent } from '@sallyport/relay'

const agent = createAgent()
process.on('message', ({ ticket }) => {
  agent.connect({ id: 'relay', host: '127.0.0.1', port: Number(process.argv[2]), ticket })
})
