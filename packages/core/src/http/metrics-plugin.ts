import { Registry } from 'prom-client'
import { definePlugin, type PluginFactory } from '../kernel/plugin.js'
import { version } from '../version.js'
import { Metrics } from './metrics.js'
import { collectProcessMetrics } from './process-metrics.js'

/** Gives every kernel a Prometheus registry of its own. */
export const metrics: PluginFactory<unknown> = definePlugin({
  name: '@sallyport/core.metrics',
  version,
  provides: { metrics: Metrics },
  setup({ scope }) {
    const registry = new Registry()
    scope.defer(collectProcessMetrics(registry))
    return { metrics: { registry } }
  },
})
