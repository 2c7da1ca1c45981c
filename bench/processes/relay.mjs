// A relay on free ports, told by IPC what to serve.
import { createRelay } from '@sallyport/relay'

const relay = createRelay({ dataPort: 0, bindHost: '127.0.0.1' })
await relay.start()
process.on('message', async ({ allocations }) => {
  await relay.apply({ revision: 1, allocations })
  process.send({ applied: relay.status() })
})
relay.on('link', ({ connected }) => process.send({ connected }))
process.send({ dataPort: relay.dataPort, ticket: relay.issueTicket('bench') })
