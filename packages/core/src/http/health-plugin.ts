import { describeError } from '../kernel/error-description.js'
import { definePlugin, type PluginFactory } from '../kernel/plugin.js'
import { version } from '../version.js'
import { Health } from './health.js'
import { createHealth } from './health-service.js'

/** Collects the parts' health checks. */
export const health: PluginFactory<unknown> = definePlugin({
  name: '@sallyport/core.health',
  version,
  provides: { health: Health },
  setup({ logger }) {
    const onFailure = (check: string, error: unknown): void =>
      logger.warn({ check, err: describeError(error) }, 'health check failed')
    return { health: createHealth({ onFailure }) }
  },
})
