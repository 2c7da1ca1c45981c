import { monitorEventLoopDelay, performance } from 'node:perf_hooks'
import { Counter, Gauge, type Registry } from 'prom-client'
import type { Disposer } from '../kernel/scope.js'

const eventLoopResolutionMs = 20

/**
 * Adds metrics of the process under their customary names. Unlike prom-client's own they can be taken back: nothing
 * observes after the disposer has run.
 */
export function collectProcessMetrics(registry: Registry): Disposer {
  const registers = [registry]
  const gauge = (name: string, help: string, read: () => number): void => {
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read())
      },
    })
  }
  const delay = monitorEventLoopDelay({ resolution: eventLoopResolutionMs })
  delay.enable()

  gauge('process_resident_memory_bytes', 'Resident memory', () => process.memoryUsage.rss())
  gauge('nodejs_heap_size_used_bytes', 'Heap in use', () => process.memoryUsage().heapUsed)
  gauge('nodejs_external_memory_bytes', 'Memory outside the heap', () => process.memoryUsage().external)
  gauge('process_start_time_seconds', 'Start of the process, seconds since 1970', () => performance.timeOrigin / 1000)
  gauge('nodejs_active_resources', 'Open handles and requests', () => process.getActiveResourcesInfo().length)
  gauge('nodejs_eventloop_lag_p99_seconds', 'Event loop delay since the last time asked', () => {
    const lag = delay.percentile(99) / 1e9
    delay.reset()
    return Number.isFinite(lag) ? lag : 0
  })
  new Counter({
    name: 'process_cpu_seconds_total',
    help: 'Processor time used',
    registers,
    collect() {
      const { user, system } = process.cpuUsage()
      this.reset()
      this.inc((user + system) / 1e6)
    },
  })
  return () => {
    delay.disable()
    registry.clear()
  }
}
