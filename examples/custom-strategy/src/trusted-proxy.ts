import {
  type AuthenticationStrategy,
  Authenticator,
  coreErrors,
  definePlugin,
  type Plugin,
  UserDirectory,
} from '@sallyport/core'

export interface TrustedProxyOptions {
  /** Addresses of the proxies that sign people in, such as `127.0.0.1`. Nobody else's header is believed. */
  readonly proxies: readonly string[]
  /** Header in which they say who it is, by e-mail address. They must take it out of what clients send. */
  readonly header: string
}

/**
 * Signs requests by a header from a proxy that has signed its user in already (oauth2-proxy, Authelia and their like).
 * Such a user has no session, so what asks for a fresh sign-in stays shut.
 */
export function trustedProxy({ proxies, header }: TrustedProxyOptions): Plugin {
  const name = header.toLowerCase()
  const plugin = definePlugin({
    name: 'example.trusted-proxy',
    version: '1.0.0',
    requires: { authenticator: Authenticator, users: UserDirectory },
    setup({ services: { authenticator, users }, scope }) {
      scope.defer(authenticator.use(createStrategy(users, new Set(proxies), name)))
    },
  })
  return plugin()
}

function createStrategy(users: UserDirectory, proxies: ReadonlySet<string>, name: string): AuthenticationStrategy {
  const refused = { kind: 'refused' as const, error: coreErrors.INVALID_CREDENTIALS() }
  return {
    name: 'trusted-proxy',
    // It understands no Authorization header.
    schemes: [],
    credentialHeaders: [name],
    securitySchemes: { trustedProxy: { type: 'apiKey', in: 'header', name } },
    async authenticate({ headers, peer }) {
      const email = headers[name]
      if (email === undefined) return { kind: 'absent' }
      // Refused, not ignored: somebody who sends it from elsewhere is up to something, or the proxy's address is wrong.
      if (typeof email !== 'string' || !proxies.has(peer)) return refused
      const user = await users.findByEmail(email)
      if (!user || user.suspended) return refused
      const { id, permissions, memberships } = user
      return {
        kind: 'authenticated',
        principal: {
          kind: 'user',
          id,
          userId: id,
          name: user.name ?? user.email,
          permissions,
          memberships,
          strategy: 'trusted-proxy',
        },
      }
    },
  }
}
