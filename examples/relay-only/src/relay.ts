// The relay, on a machine with a public address: RELAY_SECRET=… node dist/relay.js --tunnel tcp:25565
import { parseArgs } from 'node:util'
import type { Logger } from '@sallyport/relay'
import { watchCounts } from './counts.js'
import { aborted, runProgram } from './program.js'
import { readSecret } from './secret.js'
import { startRelay } from './start-relay.js'
import { parsePort, parseTunnel, UsageError } from './tunnel.js'

const options = {
  'bind-host': { type: 'string', default: '0.0.0.0' },
  'public-host': { type: 'string', default: 'localhost' },
  'data-port': { type: 'string', default: '7350' },
  state: { type: 'string' },
  tunnel: { type: 'string', multiple: true, default: [] as string[] },
} as const

const complain = (fields: object, text: string): void =>
  void process.stderr.write(`${text} ${JSON.stringify(fields)}\n`)
const logger: Logger = { debug: () => undefined, info: () => undefined, warn: complain, error: complain } as Logger

await runProgram(async (signal) => {
  const { values } = parseArgs({ options })
  const tunnels = values.tunnel.flatMap(parseTunnel)
  if (tunnels.length === 0 && values.state === undefined) throw new UsageError('say at least one --tunnel tcp:25565')
  const relay = await startRelay({
    bindHost: values['bind-host'],
    publicHost: values['public-host'],
    dataPort: parsePort(values['data-port'], '--data-port', 0),
    stateFile: values.state,
    secret: readSecret(process.env),
    tunnels,
    logger,
  })
  for (const { protocol, port, status, error } of relay.status().allocations) {
    console.log(`${protocol} ${relay.publicHost}:${port} ${status}${error === undefined ? '' : ` (${error})`}`)
  }
  relay.on('link', ({ deviceId, connected }) => console.log(`agent ${deviceId} ${connected ? 'is here' : 'went'}`))
  console.log('On the machine with the game, with the same RELAY_SECRET:')
  console.log(`  node dist/agent.js --relay ${relay.publicHost}:${relay.dataPort} --fingerprint ${relay.fingerprint}`)
  const off = watchCounts(relay)
  await aborted(signal)
  off()
  await relay.stop()
})
