import { join } from 'node:path'
import type { Test } from 'tap'
import { within } from '../deadline.js'
import { root, startProgram } from '../program.js'
import { postgresServer } from '../real-servers.js'
import type { shared } from './footprint.js'
import type { Measured } from './measure.js'

/** How many kernels are loaded at a time, each in a host of its own. */
const lanes = 4
/** What the heap may have more than after the first hundred loads: V8 compiles and throws away code all the time. */
const maxHeapGrowth = 2_000_000
/** Timers and sockets of Node's own come and go; whatever each load left, or only each tenth, would be more. */
const maxMoreObjects = 4
/** Of any class: some ten more are V8's and Node's own, after 50 loads and after 900. */
const maxMoreOfAny = 25

interface Report extends Measured {
  readonly before: State
  readonly after: State
  readonly seconds: number
}

interface State {
  readonly shared: ReturnType<typeof shared>
  readonly tables: readonly unknown[]
}

/** Loads and unloads so many kernels in a process of its own, and looks at what they have left there. */
export async function checkUnloading(
  t: Test,
  { kind, loads, timeoutMs }: { kind: 'light' | 'whole'; loads: number; timeoutMs: number },
): Promise<void> {
  const postgres = await postgresServer(t)
  const urls = [postgres.url]
  while (urls.length < lanes) urls.push(await postgres.createDatabase())
  const file = join(root, 'dist-test/support/embedding/many-loads.js')
  const args = ['--disable-warning=ExperimentalWarning', file, urls.join(), String(loads), kind]
  const program = startProgram(process.execPath, args)
  t.teardown(() => program.stop('SIGKILL'))
  const { code } = await within('the loads', program.exited, timeoutMs)
  t.equal(code, 0, program.stderr)
  const { before, after, heap, open, seconds } = JSON.parse(program.stdout) as Report
  t.comment(
    `${seconds.toFixed(0)} s, heap ${(heap.early / 1e6).toFixed(1)} MB, then ${(heap.late / 1e6).toFixed(1)} MB`,
  )

  t.same(after.shared, before.shared, 'what all of the process share is as it was before Sallyport was imported')
  t.same(after.tables, before.tables, 'so are the tables of the host, and how it reads them')
  const { early, late } = open
  t.same(late.ports, early.ports)
  t.equal(late.ports.length, lanes, 'only the hosts listen')
  t.equal(late.fileDescriptors, early.fileDescriptors)
  t.same(late.resources, early.resources)
  for (const [name, count] of Object.entries(late.objects)) {
    const first = early.objects[name] ?? 0
    t.ok(count <= first + (name === 'Object' ? maxMoreOfAny : maxMoreObjects), `${name}: ${first}, then ${count}`)
  }
  t.ok(heap.late - heap.early < maxHeapGrowth, `${heap.late - heap.early} bytes`)
}
