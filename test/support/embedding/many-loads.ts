// A program: loads and unloads kernels in hosts that stay, and prints what that has left behind, as JSON.
// Arguments: a Postgres URL for each host, a comma between them; how many loads; `whole` or `light`.
import { once } from 'node:events'
import { shared } from './footprint.js'

const [, , urls = '', loads = '', kind = ''] = process.argv
// Before anything of Sallyport's is there.
const { startHost } = await import('./host.js')
const hosts = await Promise.all(urls.split(',').map(startHost))
const before = { shared: shared(), tables: await Promise.all(hosts.map((host) => host.tables())) }

const { load } = await import('./one-load.js')
const { measure } = await import('./measure.js')
const begin = performance.now()
const measured = await measure({
  loads: Number(loads),
  lanes: hosts.map((host) => (index: number) => load(host, index, kind === 'whole')),
})
const seconds = (performance.now() - begin) / 1_000
const { user, system } = process.cpuUsage()

const after = { shared: shared(), tables: await Promise.all(hosts.map((host) => host.tables())) }
const report = { before, after, seconds, cpuSeconds: (user + system) / 1e6, ...measured }
process.stdout.write(JSON.stringify(report, (_key, value) => (typeof value === 'bigint' ? String(value) : value)))
await Promise.all(hosts.map((host) => host.close()))
if (process.stdout.writableLength > 0) await once(process.stdout, 'drain')
