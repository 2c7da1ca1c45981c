import { lookup } from 'node:dns/promises'
import { createServer, isIP } from 'node:net'
import { type Environment, EnvironmentError } from './environment.js'

interface Wanted {
  readonly host: string
  readonly port: number
  readonly variables: { readonly host: string; readonly port: string }
}

/**
 * Tries what the panel and its relay will listen on, before anything is written: a start that cannot end well leaves
 * nothing behind.
 * @returns the environment with an IP address for a relay that was given a host name
 * @throws EnvironmentError naming the variable
 */
export async function checkAddresses(environment: Environment): Promise<Environment> {
  const { host, port, relayDataPort, relayEmbedded } = environment
  await assertFree({ host, port, variables: { host: 'HOST', port: 'PORT' } })
  if (!relayEmbedded) return environment
  const relayBindHost = await addressOf(environment.relayBindHost)
  const variables = { host: 'RELAY_BIND_HOST', port: 'RELAY_DATA_PORT' }
  if (port !== 0 && port === relayDataPort && environment.relayBindHost === host) {
    throw new EnvironmentError(variables.port, 'another port than PORT')
  }
  await assertFree({ host: relayBindHost, port: relayDataPort, variables })
  return { ...environment, relayBindHost }
}

/** A relay binds addresses only. */
async function addressOf(host: string): Promise<string> {
  if (isIP(host) !== 0 || host === 'localhost') return host
  const found = await lookup(host).catch(() => undefined)
  if (!found) throw new EnvironmentError('RELAY_BIND_HOST', `an IP address or a host name with one, ${host} has none`)
  return found.address
}

function assertFree({ host, port, variables }: Wanted): Promise<void> {
  const probe = createServer()
  return new Promise((resolve, reject) => {
    probe.once('error', (error: NodeJS.ErrnoException) => {
      const reasons: Record<string, string> = {
        EADDRINUSE: `a free port, but another program listens on ${host}:${port}`,
        EACCES: `a port that this user may listen on, ${port} is not`,
      }
      const reason = reasons[error.code ?? '']
      reject(
        reason
          ? new EnvironmentError(variables.port, reason)
          : new EnvironmentError(variables.host, `an address of this machine (${error.message})`),
      )
    })
    probe.listen({ host, port, exclusive: true }, () => probe.close(() => resolve()))
  })
}
