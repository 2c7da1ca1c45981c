import { randomBytes } from 'node:crypto'
import { Type } from '@sinclair/typebox'
import { memoryDataDir } from '../database/data-dir.js'
import { secret } from '../kernel/config.js'
import { definePlugin, type PluginFactory } from '../kernel/plugin.js'
import type { Secret } from '../kernel/secret.js'
import { version } from '../version.js'
import { createKeyring } from './key-derivation.js'
import { Keyring } from './keyring.js'
import { readSecretKeys } from './secret-keys-file.js'

export interface KeyringConfig {
  /** Newest first, each of 32 characters or more. Without them one is generated once and kept in `dataDir`. */
  readonly secretKeys?: Secret[]
  /** Default `./.data`; `memory://` for a key that lives as long as the kernel. */
  readonly dataDir: string
}

const schema = Type.Object(
  {
    secretKeys: Type.Optional(Type.Array(secret())),
    dataDir: Type.String({ default: './.data', minLength: 1 }),
  },
  { additionalProperties: false },
)

/** Provides `Keyring`. Throws `CORE_ERR_SECRET_KEYS_INVALID`, `CORE_ERR_DATA_DIR_UNUSABLE`. */
export const keyring: PluginFactory<KeyringConfig> = definePlugin({
  name: '@sallyport/core.keyring',
  version,
  provides: { keyring: Keyring },
  config: schema,
  setup({ config }) {
    return { keyring: createKeyring(secretsOf(config.dataDir, config.secretKeys)) }
  },
})

function secretsOf(dataDir: string, given: readonly Secret[] | undefined): readonly string[] {
  if (given) return given.map((key) => key.reveal())
  if (dataDir === memoryDataDir) return [randomBytes(32).toString('base64url')]
  return readSecretKeys(dataDir)
}
