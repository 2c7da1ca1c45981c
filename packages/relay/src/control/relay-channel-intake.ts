import { RelayError } from '../errors.js'
import type { Logger } from '../logger.js'
import type { Relay, RelayAllocation } from '../relay-types.js'
import { CONTROL_LIMITS } from './control.js'
import type { RelayChangeMessage, RelayStateMessage } from './control-relay-messages.js'

export interface IntakeOptions {
  relay: Pick<Relay, 'apply' | 'change' | 'revision'>
  logger: Logger
  onApplied(applied: { revision: number; stored: boolean; whole: boolean }): void
  /** What came cannot be brought into force: the whole is needed, on a new connection. */
  onBroken(what: string): void
}

/** Collects the parts of states and changes, and brings one after the other into force. */
export interface Intake {
  take(message: RelayStateMessage | RelayChangeMessage): void
  /** For a new connection: what was not begun is dropped, and the whole comes first. */
  reset(): void
}

interface Collected {
  /** Undefined: the whole state. */
  base: number | undefined
  revision: number
  parts: number
  taken: number
  upsert: RelayAllocation[]
  remove: number[]
}

/** Waiting to be brought into force; a whole state drops those before it. */
const MAX_WAITING = 256

export function createIntake({ relay, logger, onApplied, onBroken }: IntakeOptions): Intake {
  let collecting: Collected | undefined
  /** Of the last message that is complete on this connection. */
  let last: number | undefined
  let waiting: Collected[] = []
  let connection = 0
  let working = false

  function take(message: RelayStateMessage | RelayChangeMessage): void {
    const problem = collect(message)
    if (problem !== undefined) broken(problem)
    else if (!working) void work()
  }

  /** What is wrong with the message, if anything is. */
  function collect(message: RelayStateMessage | RelayChangeMessage): string | undefined {
    const base = message.type === 'relay_change' ? message.base : undefined
    if (message.part === 0) {
      if (base !== undefined && base !== last) return `a change of revision ${base}, which was not the last`
      collecting = { base, revision: message.revision, parts: message.parts, taken: 0, upsert: [], remove: [] }
    }
    const current = collecting
    if (!current || !belongs(current, base, message)) return 'parts out of order'
    current.taken += 1
    const upsert = message.type === 'relay_state' ? message.allocations : message.upsert
    const remove = message.type === 'relay_state' ? [] : message.remove
    for (const allocation of upsert) current.upsert.push(allocation)
    for (const id of remove) current.remove.push(id)
    if (Math.max(current.upsert.length, current.remove.length) > CONTROL_LIMITS.relayAllocations) {
      return 'more allocations than a relay takes'
    }
    return current.taken < current.parts ? undefined : complete(current)
  }

  function complete(collected: Collected): string | undefined {
    collecting = undefined
    last = collected.revision
    if (collected.base === undefined) waiting = []
    waiting.push(collected)
    return waiting.length > MAX_WAITING ? 'changes faster than they can be brought into force' : undefined
  }

  function belongs(current: Collected, base: number | undefined, message: RelayStateMessage | RelayChangeMessage) {
    const { revision, part, parts } = message
    return base === current.base && revision === current.revision && parts === current.parts && part === current.taken
  }

  async function work(): Promise<void> {
    working = true
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const from = connection
      const failure = await bring(next)
      if (from !== connection) continue
      if (failure === 'invalid' || relay.revision !== next.revision) {
        broken(
          failure === 'invalid'
            ? 'a state that is not valid'
            : `revision ${next.revision}, older than the one in force`,
        )
      } else if (failure !== 'stopped') {
        onApplied({ revision: next.revision, stored: failure === undefined, whole: next.base === undefined })
      }
    }
    working = false
  }

  async function bring({
    base,
    revision,
    upsert,
    remove,
  }: Collected): Promise<'invalid' | 'stopped' | 'not_stored' | undefined> {
    try {
      if (base === undefined) await relay.apply({ revision, allocations: upsert })
      else await relay.change({ revision, upsert, remove })
      return undefined
    } catch (error) {
      const code = error instanceof RelayError ? error.code : undefined
      if (code === 'RELAY_ERR_NOT_RUNNING') return 'stopped'
      logger.error({ revision, error: String(error) }, 'a desired state could not be brought into force or stored')
      return code === 'RELAY_ERR_INVALID_STATE' ? 'invalid' : 'not_stored'
    }
  }

  function broken(what: string): void {
    reset()
    onBroken(what)
  }

  function reset(): void {
    connection += 1
    collecting = undefined
    last = undefined
    waiting = []
  }

  return { take, reset }
}
