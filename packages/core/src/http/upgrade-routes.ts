import type { IncomingMessage } from 'node:http'
import { coreErrors } from '../errors.js'
import type { Disposer } from '../kernel/scope.js'
import type { UpgradeContext } from './http.js'
import { normalizePath } from './request-path.js'

export type UpgradeHandler = (context: UpgradeContext) => void | Promise<void>

/** Who takes over the upgrades of which path. */
export interface UpgradeRoutes {
  /** @throws `CORE_ERR_ROUTE_INVALID` when the path is taken */
  add(path: string, handler: UpgradeHandler): Disposer
  find(path: string): UpgradeHandler | undefined
  readonly paths: readonly string[]
  /** Marks an upgrade as being answered by its path's handler. */
  claim(request: IncomingMessage): void
  isClaimed(request: IncomingMessage): boolean
}

export function createUpgradeRoutes(): UpgradeRoutes {
  const handlers = new Map<string, UpgradeHandler>()
  const claimed = new WeakSet<IncomingMessage>()
  return {
    add(given, handler) {
      const path = normalizePath(given)
      if (handlers.has(path)) {
        throw coreErrors.ROUTE_INVALID({ method: 'UPGRADE', url: path, reason: 'there is such a route already' })
      }
      handlers.set(path, handler)
      return () => {
        if (handlers.get(path) === handler) handlers.delete(path)
      }
    },
    find(path) {
      return handlers.get(path)
    },
    get paths() {
      return [...handlers.keys()]
    },
    claim(request) {
      claimed.add(request)
    },
    isClaimed(request) {
      return claimed.has(request)
    },
  }
}
