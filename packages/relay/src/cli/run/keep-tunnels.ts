import { isIP } from 'node:net'
import { retryDelay } from '../../backoff.js'
import type { AllowList } from '../../target/allow-rule.js'
import { CliError } from '../exit.js'
import type { Allocation } from '../panel/panel-answers.js'
import type { PanelClient, PanelFailure } from '../panel/panel-client.js'
import { panelError } from '../panel/panel-error.js'
import type { Output } from '../terminal/output.js'
import { listAllocations } from '../tunnels/allocation-requests.js'
import { ensureAllocations } from '../tunnels/ensure-allocation.js'
import { type LocalTarget, showAddress } from '../tunnels/target.js'
import { wait } from '../wait.js'

export interface KeepTunnelsOptions {
  client: PanelClient
  /** Asked each time: the panel says it when the agent connects. */
  deviceId: () => string | undefined
  targets: readonly LocalTarget[]
  /** When the panel will not have this one at all, that ends it; of the others it is said, and they are asked for again later. */
  strict: LocalTarget | undefined
  output: Output
  made: (allocation: Allocation) => void
  signal: AbortSignal
}

const MAX_RETRY_AFTER_MS = 60_000
/** An administrator may have raised a quota, or another tunnel may be gone. */
const REFUSED_RETRY_MS = 60_000

/**
 * Sees to it that the device has these tunnels: resolves when it has, or when the signal aborts. Keeps trying while that can help, for the panel may
 * come later than its agent. Throws CliError when the token is refused, and for what the strict target is refused.
 */
export async function keepTunnels(options: KeepTunnelsOptions): Promise<void> {
  const { client, deviceId, strict, output, made, signal } = options
  const told = new Set<string>()
  let left = [...options.targets]

  /** Throws what ends it all, says the rest; gives the wait that it asks for. */
  function judge(failure: PanelFailure, target: LocalTarget | undefined): number {
    const passes = isPassing(failure)
    const concerned = target === undefined ? left : [target]
    const isFatal = !passes && strict !== undefined && concerned.includes(strict)
    if (failure.kind === 'unauthorized' || isFatal) throw panelError(failure, 'token')
    // The control channel says itself that the panel is away or tunnels are off.
    const isOwnNews = failure.kind === 'problem' || !passes
    const what = target === undefined ? 'the tunnels' : `the tunnel to ${describe(target)}`
    const key = `${what} ${failure.error}`
    if (isOwnNews && !told.has(key)) {
      told.add(key)
      output.notice(
        'allocation_waits',
        `${what} cannot be made yet, trying on: ${panelError(failure, 'token').message}`,
      )
    }
    return Math.max(passes ? 0 : REFUSED_RETRY_MS, Math.min(failure.retryAfterMs ?? 0, MAX_RETRY_AFTER_MS))
  }

  for (let attempt = 0; left.length > 0; attempt += 1) {
    let waitMs = Number.POSITIVE_INFINITY
    const listed = await understood(listAllocations(client, signal))
    if (signal.aborted) return
    if (listed.ok) {
      const present = listed.value
      const missed: LocalTarget[] = []
      for (const target of left) {
        const result = await understood(ensureAllocations(client, target, present, deviceId(), signal))
        if (signal.aborted) return
        if (result.ok) {
          present.push(...result.made)
          for (const allocation of result.made) made(allocation)
          continue
        }
        missed.push(target)
        // What passes soon is tried soon, whatever else waits for longer.
        waitMs = Math.min(waitMs, judge(result, target))
        // All others would fare alike.
        if (result.kind !== 'problem') {
          missed.push(...left.slice(left.indexOf(target) + 1))
          break
        }
      }
      left = missed
    } else waitMs = judge(listed, undefined)
    if (left.length > 0 && !(await wait(Math.max(retryDelay(attempt), waitMs), signal))) return
  }
}

/** An answer that is not understood ends no agent: a newer panel may have more to say. */
async function understood<T>(answer: Promise<T>): Promise<T | PanelFailure> {
  try {
    return await answer
  } catch (error) {
    if (!(error instanceof CliError)) throw error
    return { ok: false, kind: 'problem', error: error.code, detail: error.message }
  }
}

function isPassing(failure: PanelFailure): boolean {
  if (failure.kind === 'unauthorized') return false
  if (failure.kind === 'problem') return failure.status === 429 || (failure.status ?? 0) >= 500
  return true
}

function describe({ protocol, localHost, localPort }: LocalTarget): string {
  return `${showAddress(localHost, localPort)} (${protocol === 'both' ? 'tcp and udp' : protocol})`
}

/** A tunnel that our own rules would refuse is a slip; better said now than to the first player. A name is judged only when dialled. */
export function mayDial({ localHost, localPort }: LocalTarget, list: AllowList): boolean {
  return isIP(localHost) === 0 ? list.allowsPort(localPort) : list.allowsAddress(localHost, localPort)
}
