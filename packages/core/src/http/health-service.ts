import { setTimeout as delay } from 'node:timers/promises'
import { coreErrors } from '../errors.js'
import { isSallyportError } from '../kernel/errors.js'
import type { Health, HealthCheck, HealthReport } from './health.js'

export interface HealthOptions {
  /** Time that a check is given. */
  readonly checkTimeoutMs?: number
  /** Told of a check's failure, as it is. */
  readonly onFailure?: (name: string, error: unknown) => void
}

/** Checks run side by side; callers that come while they run get the same report. */
export function createHealth({ checkTimeoutMs = 1_000, onFailure }: HealthOptions = {}): Health {
  const checks = new Map<string, HealthCheck>()
  let running: Promise<HealthReport> | undefined

  const run = async (name: string, check: HealthCheck): Promise<readonly [string, string]> => {
    const controller = new AbortController()
    const timeout = delay(checkTimeoutMs, 'does not answer', { signal: controller.signal, ref: false })
    timeout.catch(() => undefined)
    const outcome = (async () => {
      await check(controller.signal)
      return 'ok'
    })()
    try {
      return [name, await Promise.race([outcome, timeout])]
    } catch (error) {
      onFailure?.(name, error)
      return [name, isSallyportError(error) && error.expose ? error.message : 'is not available']
    } finally {
      outcome.catch(() => undefined)
      controller.abort()
    }
  }

  const report = async (): Promise<HealthReport> => {
    const results = await Promise.all([...checks].map(([name, check]) => run(name, check)))
    return { ready: results.every(([, outcome]) => outcome === 'ok'), checks: Object.fromEntries(results) }
  }

  return {
    register(name, check) {
      if (checks.has(name)) throw coreErrors.CONFLICT({ reason: `There is a health check ${name} already` })
      checks.set(name, check)
      return () => {
        if (checks.get(name) === check) checks.delete(name)
      }
    },
    report() {
      running ??= report().finally(() => {
        running = undefined
      })
      return running
    },
  }
}
