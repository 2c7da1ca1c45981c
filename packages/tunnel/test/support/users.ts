import {
  Authenticator,
  type DirectoryChange,
  type DirectoryUser,
  definePlugin,
  type Plugin,
  type Principal,
  UserDirectory,
} from '@sallyport/core'

/** Who a test request comes from. */
export interface TestUser {
  readonly id: string
  readonly kind?: 'user' | 'apiKey'
  readonly userId?: string
  readonly permissions?: readonly string[]
  readonly scopes?: readonly string[]
  readonly memberships?: Principal['memberships']
}

const header = 'x-test-user'

export function userHeader(user: TestUser): Record<string, string> {
  return { [header]: Buffer.from(JSON.stringify(user)).toString('base64url') }
}

/** Believes whatever the header says: stands in for sessions and API keys. */
export function testUsers(): Plugin {
  return definePlugin({
    name: 'test-users',
    version: '1.0.0',
    requires: { authenticator: Authenticator },
    setup({ services, scope }) {
      const off = services.authenticator.use({
        name: 'test-users',
        schemes: [],
        authenticate({ headers }) {
          const text = headers[header]
          if (typeof text !== 'string') return { kind: 'absent' }
          const user = JSON.parse(Buffer.from(text, 'base64url').toString()) as TestUser
          const principal: Principal = {
            kind: user.kind ?? 'user',
            id: user.id,
            userId: user.userId ?? user.id,
            permissions: user.permissions ?? [],
            ...(user.scopes && { scopes: user.scopes }),
            memberships: user.memberships ?? [],
            strategy: 'test-users',
          }
          return { kind: 'authenticated', principal }
        },
      })
      scope.defer(off)
    },
  })()
}

/** A directory in which everyone whose id does not begin with `nobody` exists, with a handle to change users. */
export interface TestDirectory {
  readonly plugin: Plugin
  /** Resolves when all have followed. */
  change(change: DirectoryChange): Promise<void>
}

export function testDirectory(): TestDirectory {
  const handlers = new Set<(change: DirectoryChange) => void | Promise<void>>()
  const suspended = new Set<string>()
  const find = (id: string): DirectoryUser | undefined =>
    id.startsWith('nobody')
      ? undefined
      : { id, email: `${id}@localhost`, name: id, permissions: [], memberships: [], suspended: suspended.has(id) }
  const directory: UserDirectory = {
    findById: async (id) => find(id),
    findByEmail: async () => undefined,
    verifyPassword: async () => undefined,
    onChange(handler) {
      handlers.add(handler)
      return () => void handlers.delete(handler)
    },
  }
  return {
    plugin: definePlugin({
      name: 'test-directory',
      version: '1.0.0',
      provides: { directory: UserDirectory },
      setup: () => ({ directory }),
    })(),
    async change(change) {
      if (change.change === 'suspended') suspended.add(change.userId)
      for (const handler of handlers) await handler(change)
    },
  }
}
