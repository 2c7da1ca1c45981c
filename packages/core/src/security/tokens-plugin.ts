import { Type } from '@sinclair/typebox'
import { definePlugin, type PluginFactory } from '../kernel/plugin.js'
import { version } from '../version.js'
import { createTokenIssuer } from './jwt.js'
import { Keyring } from './keyring.js'
import { Tokens } from './tokens.js'

export interface TokensConfig {
  /** `iss` of every token. Default `sallyport`. */
  readonly issuer: string
}

const schema = Type.Object(
  { issuer: Type.String({ default: 'sallyport', minLength: 1, maxLength: 200 }) },
  { additionalProperties: false },
)

/** Provides `Tokens` on the keyring. */
export const tokens: PluginFactory<TokensConfig> = definePlugin({
  name: '@sallyport/core.tokens',
  version,
  requires: { keyring: Keyring },
  provides: { tokens: Tokens },
  config: schema,
  setup({ services, config }) {
    return {
      tokens: {
        issuer: (purpose) => createTokenIssuer({ keyring: services.keyring, purpose, issuer: config.issuer }),
      },
    }
  },
})
