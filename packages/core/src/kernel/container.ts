import { asValue, createContainer, InjectionMode } from 'awilix'
import { coreErrors } from '../errors.js'
import type { ServiceToken } from './service.js'

/** Holds the services of one kernel. Two kernels never share one. */
export interface ServiceContainer {
  set<T>(token: ServiceToken<T>, value: T): void
  has(token: ServiceToken<unknown>): boolean
  /** @throws `CORE_ERR_SERVICE_UNAVAILABLE` when nothing is registered under the token. */
  get<T>(token: ServiceToken<T>): T
}

/** The only place that knows awilix. Who closes a service, and when, is the kernel's scopes' business. */
export function createServiceContainer(): ServiceContainer {
  const container = createContainer({ injectionMode: InjectionMode.PROXY, strict: true })
  return {
    set(token, value) {
      container.register(token.id, asValue(value))
    },
    has(token) {
      return container.hasRegistration(token.id)
    },
    get(token) {
      if (!container.hasRegistration(token.id)) {
        throw coreErrors.SERVICE_UNAVAILABLE({ service: token.id, reason: 'no started plugin provides it' })
      }
      return container.resolve(token.id)
    },
  }
}
