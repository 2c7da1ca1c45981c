import { setTimeout as delay } from 'node:timers/promises'
import v8 from 'node:v8'
import { runInNewContext } from 'node:vm'
import { type Opened, opened } from './footprint.js'

export interface Measured {
  /** Bytes of the heap after collections, medians: around the load 100, and at the end. */
  readonly heap: { readonly early: number; readonly late: number }
  readonly open: { readonly early: Opened; readonly late: Opened }
}

interface MeasureOptions {
  readonly loads: number
  /** Each loads and unloads once; all run at the same time, one load after the other. */
  readonly lanes: readonly ((index: number) => Promise<void>)[]
}

/** By then everything that is made once, compiled code among it, is there. */
const warmLoads = 100
const loadsPerSample = 10
const samples = 5
/** Sockets that were closed are gone a moment later. */
const settleMs = 100

/** Runs so many loads and looks at what is there after the first hundred and after all. */
export async function measure({ loads, lanes }: MeasureOptions): Promise<Measured> {
  v8.setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  let done = 0

  const run = async (count: number): Promise<void> => {
    const end = done + count
    const lane = async (load: (index: number) => Promise<void>): Promise<void> => {
      while (done < end) {
        done += 1
        await load(done)
      }
    }
    await Promise.all(lanes.map(lane))
  }
  const sample = async (): Promise<{ heap: number; open: Opened }> => {
    const heaps: number[] = []
    while (heaps.length < samples) {
      await run(loadsPerSample)
      await delay(settleMs)
      collect()
      collect()
      heaps.push(process.memoryUsage().heapUsed)
    }
    return { heap: heaps.sort((a, b) => a - b)[Math.floor(samples / 2)] ?? 0, open: opened() }
  }

  await run(warmLoads - loadsPerSample * samples)
  const early = await sample()
  await run(loads - done - loadsPerSample * samples)
  const late = await sample()
  return { heap: { early: early.heap, late: late.heap }, open: { early: early.open, late: late.open } }
}
