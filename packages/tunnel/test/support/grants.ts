import { Authenticator, coreErrors, definePlugin, type Plugin } from '@sallyport/core'
import type { TestUser } from './users.js'

/** Credentials that a test takes away or changes while they are in use. */
export interface Grants {
  readonly plugin: Plugin
  /** In place of what there was. `refused`: revoked. `fault`: it cannot be found out. */
  set(name: string, grant: TestUser | 'refused' | 'fault'): void
  headers(name: string): Record<string, string>
  /** How often anybody's were looked at. */
  readonly looks: number
}

const header = 'x-test-grant'

export function createGrants(): Grants {
  const known = new Map<string, TestUser | 'refused' | 'fault'>()
  let looks = 0
  const plugin = definePlugin({
    name: 'test-grants',
    version: '1.0.0',
    requires: { authenticator: Authenticator },
    setup({ services, scope }) {
      const off = services.authenticator.use({
        name: 'test-grants',
        schemes: [],
        async authenticate({ headers }) {
          const name = headers[header]
          if (typeof name !== 'string') return { kind: 'absent' }
          looks += 1
          const grant = known.get(name) ?? 'refused'
          if (grant === 'fault') throw coreErrors.UNAVAILABLE({ reason: 'The test has no database' })
          if (grant === 'refused') return { kind: 'refused', error: coreErrors.INVALID_CREDENTIALS() }
          const { id, kind = 'user', userId = id, permissions = [], memberships = [], scopes } = grant
          const principal = { kind, id, userId, permissions, memberships, strategy: 'test-grants' }
          return { kind: 'authenticated', principal: { ...principal, ...(scopes && { scopes }) } }
        },
      })
      scope.defer(off)
    },
  })()
  return {
    plugin,
    set: (name, grant) => void known.set(name, grant),
    headers: (name) => ({ [header]: name }),
    get looks() {
      return looks
    },
  }
}
