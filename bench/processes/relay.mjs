// A relay on free ports: node relay.mjs '{"module", "bindHost", "encryption"}'.
import { answerCalls, residentBytes } from './calls.mjs'

const { module, bindHost, encryption } = JSON.parse(process.argv[2])
const { createRelay } = await import(module)
const relay = createRelay({ dataPort: 0, bindHost, encryption })
await relay.start()

answerCalls(
  {
    /** Serves the target on a free port for each protocol and says which. */
    async serve({ tcp, udp, host }) {
      const allocation = { deviceId: 'bench', port: 0 }
      const allocations = [
        { ...allocation, id: 1, protocol: 'tcp', target: { host, port: tcp } },
        { ...allocation, id: 2, protocol: 'udp', target: { host, port: udp } },
      ]
      await relay.apply({ revision: 1, allocations })
      const port = (id) => relay.status().allocations.find(({ allocationId }) => allocationId === id).port
      return { tcp: port(1), udp: port(2) }
    },
    residentBytes,
  },
  { dataPort: relay.dataPort, fingerprint: relay.fingerprint, ticket: relay.issueTicket('bench') },
)
