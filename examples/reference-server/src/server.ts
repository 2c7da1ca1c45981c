import { join } from 'node:path'
import {
  apiKey,
  auth,
  type DirectoryConfig,
  directory,
  type GeneratedPasswordHandler,
  mail,
  passkey,
  session,
  twoFactor,
} from '@sallyport/auth'
import {
  type ConfigInput,
  createKernel,
  createLogger,
  database,
  http,
  type Kernel,
  keyring,
  redis,
  settings,
} from '@sallyport/core'
import { type EmbeddedRelayConfig, tunnel } from '@sallyport/tunnel'
import { agentFile } from './agent-file.js'
import { dashboard } from './dashboard.js'
import type { Environment } from './environment.js'

export interface ServerHooks {
  /** Told once, when the first administrator was made with a password of the server's own. */
  readonly onGeneratedPassword: GeneratedPasswordHandler
}

/** Puts the packages together as the environment says. Nothing is opened yet. */
export function createServer(environment: Environment, hooks: ServerHooks): Kernel {
  const { dataDir, trustedProxies, publicUrl } = environment
  return createKernel({
    // Standard output is for people: the ready line and the first password.
    logger: createLogger({ level: environment.logLevel, fd: 2 }),
    plugins: [
      database({ url: environment.databaseUrl, dataDir }),
      redis({ url: environment.redisUrl }),
      keyring({ secretKeys: environment.secretKeys, dataDir }),
      http({ publicUrl, trustedProxies }),
      settings({ initial: { features: { tunnels: environment.tunnelsEnabled } } }),
      auth({
        strategies: [session(), apiKey(), twoFactor(), passkey()],
        mailer: mail({ url: environment.smtpUrl }),
        users: directory({ firstAdministrator: firstAdministrator(environment, hooks) }),
      }),
      tunnel({
        portRange: environment.relayPortRange,
        relay: relayOptions(environment),
        webhooks: environment.webhook ? [environment.webhook] : [],
      }),
      dashboard(),
      agentFile(),
    ],
  })
}

function firstAdministrator(
  { adminEmail: email, adminPassword: password }: Environment,
  { onGeneratedPassword: onGenerated }: ServerHooks,
): ConfigInput<DirectoryConfig>['firstAdministrator'] {
  return { email, password, onGenerated }
}

function relayOptions(environment: Environment): EmbeddedRelayConfig | false {
  if (!environment.relayEmbedded) return false
  return {
    bindHost: environment.relayBindHost,
    publicHost: environment.relayPublicHost,
    dataPort: environment.relayDataPort,
    // Nobody else has the directory then: agents find the certificate that they know, and their links' tickets hold.
    ...(environment.databaseUrl === undefined ? { storageFile: join(environment.dataDir, 'relay.json') } : {}),
  }
}
