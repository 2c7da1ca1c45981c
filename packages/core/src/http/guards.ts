import type { IncomingMessage } from 'node:http'
import type { Disposer } from '../kernel/scope.js'
import type { Guard } from './http.js'
import { isWithin, normalizePath } from './request-path.js'

/** Guards by path prefix. */
export interface Guards {
  add(prefix: string, guard: Guard): Disposer
  /** Runs the guards of every prefix that one of `paths` is below, in the order in which they were added. */
  run(paths: readonly string[], request: IncomingMessage): Promise<void>
  readonly prefixes: readonly string[]
}

export function createGuards(): Guards {
  const entries = new Set<{ readonly prefix: string; readonly guard: Guard }>()
  return {
    add(prefix, guard) {
      const entry = { prefix: normalizePath(prefix), guard }
      entries.add(entry)
      return () => void entries.delete(entry)
    },
    async run(paths, request) {
      for (const { prefix, guard } of entries) {
        if (paths.some((path) => isWithin(path, prefix))) await guard(request)
      }
    },
    get prefixes() {
      return [...new Set([...entries].map(({ prefix }) => prefix))]
    },
  }
}
