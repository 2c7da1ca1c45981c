// The agent, beside the game: RELAY_SECRET=… node dist/agent.js --relay play.example.org:7350 --fingerprint …
import { parseArgs } from 'node:util'
import { parseAllowRule, RelayError } from '@sallyport/relay'
import { aborted, runProgram } from './program.js'
import { readSecret } from './secret.js'
import { startAgent } from './start-agent.js'
import { parsePort, UsageError } from './tunnel.js'

const options = {
  relay: { type: 'string' },
  fingerprint: { type: 'string' },
  allow: { type: 'string', multiple: true },
} as const

await runProgram(async (signal) => {
  const { values } = parseArgs({ options })
  const { host, port } = parseAddress(values.relay)
  const { fingerprint = '' } = values
  if (!/^[0-9a-f]{64}$/.test(fingerprint)) {
    throw new UsageError('--fingerprint must be the 64 hexadecimal digits that the relay prints')
  }
  const allow = values.allow && { allow: values.allow.map(parseRule) }
  const agent = startAgent({ host, port, fingerprint, secret: readSecret(process.env), ...allow })
  let said: string | undefined
  agent.on('link', ({ connected, error }) => {
    const line = connected ? 'linked: players can come' : `no link to the relay${error ? ` (${error})` : ''}`
    if (line !== said) console.log(line)
    said = line
  })
  agent.on('rejected', ({ target, error }) => console.log(`players cannot be served: ${target.port} ${error}`))
  await aborted(signal)
  await agent.stop()
})

function parseAddress(text: string | undefined): { host: string; port: number } {
  const [, name, port] = /^(.+):(\d+)$/.exec(text ?? '') ?? []
  if (name === undefined || port === undefined)
    throw new UsageError('--relay must be HOST:PORT, as the relay prints it')
  return { host: name.replace(/^\[(.*)\]$/, '$1'), port: parsePort(port, '--relay') }
}

function parseRule(text: string): ReturnType<typeof parseAllowRule> {
  try {
    return parseAllowRule(text)
  } catch (error) {
    throw error instanceof RelayError ? new UsageError(`--allow ${error.message}`) : error
  }
}
