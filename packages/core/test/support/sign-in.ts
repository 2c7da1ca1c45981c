import { Authenticator, definePlugin, type Plugin, type Principal } from '../../dist/index.js'

/** Believes whatever permissions the header `authorization: Test <permission> …` names. */
export function signIn(): Plugin {
  return definePlugin({
    name: 'test-sign-in',
    version: '1.0.0',
    requires: { authenticator: Authenticator },
    setup({ services, scope }) {
      const undo = services.authenticator.use({
        name: 'test',
        schemes: ['Test'],
        authenticate({ headers }) {
          const [scheme, ...permissions] = String(headers['authorization'] ?? '').split(' ')
          if (scheme !== 'Test') return { kind: 'absent' }
          const principal: Principal = {
            kind: 'user',
            id: 'user-1',
            userId: 'user-1',
            name: 'Ada',
            permissions,
            memberships: [],
            strategy: 'test',
          }
          return { kind: 'authenticated', principal }
        },
      })
      scope.defer(undo)
    },
  })()
}

/** Headers of someone with these permissions. */
export function as(...permissions: string[]): { authorization: string } {
  return { authorization: ['Test', ...permissions].join(' ') }
}
