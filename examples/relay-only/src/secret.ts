import { UsageError } from './tunnel.js'

const minBytes = 32

/**
 * The key that both machines share, from the environment: arguments can be read by everybody on the machine.
 * @throws UsageError
 */
export function readSecret(variables: NodeJS.ProcessEnv): Uint8Array {
  const secret = Buffer.from(variables['RELAY_SECRET'] ?? '')
  if (secret.length >= minBytes) return secret
  throw new UsageError(
    `RELAY_SECRET must be the same ${minBytes} characters or more on both machines, such as openssl rand -hex 32 gives`,
  )
}
