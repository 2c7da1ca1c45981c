import type { Disposer, Logger } from '@sallyport/core'
import type { EndedConnection, PlayerKnock, TransportProtocol } from '@sallyport/relay'
import type { SteeredRelay } from '../relays/steered-relay.js'
import { within } from '../within.js'
import { askHook } from './ask-hook.js'
import type { ConnectionAttempt, ConnectionEnd, TunnelHooks } from './hooks.js'
import { createSeldom } from './seldom.js'

/** What a relay's allocation is, for hooks. */
export interface AllocationFacts extends Pick<ConnectionAttempt, 'deviceId' | 'ownerId' | 'organisationId' | 'port'> {
  readonly protocol: TransportProtocol
}

/** Asks the host about players of relays that this instance steers, and tells it of those who left. */
export interface ConnectionGate {
  /** For `createRelay` and for a stand-alone relay's welcome: whether to ask, how long, what holds otherwise. Undefined: don't ask. */
  readonly admission: { readonly timeoutMs: number; readonly otherwise: 'allow' | 'deny' } | undefined
  /** Whether anybody wants to hear of ends. */
  readonly listens: boolean
  /** May this player in? Never rejects; without an answer in time: `otherwise`. */
  decide(relayId: string, player: PlayerKnock): Promise<boolean>
  /** `dropped`: how many more there were that the relay could not keep. */
  ended(relayId: string, ends: readonly EndedConnection[], dropped?: number): void
  /** Tells of those who leave a relay, until the disposer is called. */
  watch(relay: Pick<SteeredRelay, 'id' | 'on'>): Disposer
  /** Tells what is gathered, and waits for it (bounded). */
  stop(): Promise<void>
}

interface ConnectionGateOptions {
  readonly hooks: TunnelHooks | undefined
  readonly logger: Logger
  /** Undefined for what is not known on that relay. */
  readonly describe: (relayId: string, allocationId: number) => AllocationFacts | undefined
  /** Told as well, in the same batches; rejects never. For webhooks. */
  readonly tell?: ((ends: readonly ConnectionEnd[]) => Promise<void>) | undefined
}

const defaultTimeoutMs = 1_000
/** Questions at one time; beyond it `otherwise` holds. */
const maxAsked = 2_000
const gatherMs = 1_000
/** Ends of one batch. */
const batchSize = 1_000
/** Ends that wait for a host that is slow. */
const maxGathered = 10_000
/** Longest that the host may take for one batch before the next is begun without it. */
const tellTimeoutMs = 10_000
const stopTimeoutMs = 3_000
const logIntervalMs = 60_000
/** Allocations remembered beyond their end; the oldest give way. */
const maxRemembered = 10_000

export function createConnectionGate({ hooks, logger, describe, tell }: ConnectionGateOptions): ConnectionGate {
  const seldom = createSeldom(logIntervalMs)
  const hook = hooks?.beforeConnection
  const after = hooks?.afterConnection
  const timeoutMs = hook?.timeoutMs ?? defaultTimeoutMs
  const otherwise = hook?.otherwise ?? 'allow'
  const listens = after !== undefined || tell !== undefined
  const remembered = new Map<string, AllocationFacts>()
  let asked = 0
  const gathered: ConnectionEnd[] = []
  let lost = 0
  let timer: NodeJS.Timeout | undefined
  let telling: Promise<void> | undefined

  const unanswered = (error: unknown): boolean => {
    seldom.say('beforeConnection', (unsaid) => {
      logger.error({ err: error, hook: 'beforeConnection', otherwise, unsaid }, 'a hook did not answer')
    })
    return otherwise === 'allow'
  }

  const lose = (count: number): void => {
    lost += count
    seldom.say('lost', () => {
      logger.warn({ lost }, 'ends of connections are lost: more of them than can be told')
      lost = 0
    })
  }

  const callAfter = async (batch: readonly ConnectionEnd[]): Promise<void> => {
    await after?.(batch)
  }

  const tellBatch = async (batch: readonly ConnectionEnd[]): Promise<void> => {
    try {
      const told = await within(tellTimeoutMs, Promise.all([callAfter(batch), tell?.(batch)]))
      if (told === undefined) throw new Error(`not done within ${tellTimeoutMs} ms`)
    } catch (error) {
      seldom.say('afterConnection', (unsaid) => {
        logger.error({ err: error, hook: 'afterConnection', unsaid }, 'a hook failed')
      })
    }
  }

  const tellAll = async (): Promise<void> => {
    while (gathered.length > 0) await tellBatch(gathered.splice(0, batchSize))
  }

  const schedule = (): void => {
    if (timer || telling || gathered.length === 0) return
    timer = setTimeout(() => {
      timer = undefined
      telling = tellAll().finally(() => {
        telling = undefined
        schedule()
      })
    }, gatherMs)
  }

  /** An allocation that was removed while players were on it is not known any more when they leave. */
  const factsOf = (relayId: string, allocationId: number): AllocationFacts | undefined => {
    const name = `${allocationId}@${relayId}`
    const facts = describe(relayId, allocationId)
    if (!facts) return remembered.get(name)
    remembered.delete(name)
    remembered.set(name, facts)
    for (const oldest of remembered.keys()) {
      if (remembered.size <= maxRemembered) break
      remembered.delete(oldest)
    }
    return facts
  }

  const ended = (relayId: string, ends: readonly EndedConnection[], dropped = 0): void => {
    if (!listens) return
    if (dropped > 0) lose(dropped)
    for (const end of ends) {
      const facts = factsOf(relayId, end.allocationId)
      if (!facts || gathered.length >= maxGathered) {
        lose(1)
        continue
      }
      const { allocationId, remoteAddress, remotePort, bytesIn, bytesOut, durationMs, reason } = end
      const attempt = { relayId, allocationId, ...facts, remoteAddress, remotePort }
      gathered.push({ ...attempt, bytesIn, bytesOut, durationMs, reason })
    }
    schedule()
  }

  return {
    admission: hook ? { timeoutMs, otherwise } : undefined,
    listens,
    async decide(relayId, player) {
      if (!hook) return true
      const facts = factsOf(relayId, player.allocationId)
      // Gone between the relay and here: nobody can say whose player it is.
      if (!facts) return otherwise === 'allow'
      if (asked >= maxAsked) return unanswered(new Error('too many questions at one time'))
      asked += 1
      try {
        const { remoteAddress, remotePort, allocationId } = player
        const attempt = { relayId, allocationId, ...facts, remoteAddress, remotePort }
        const answer = await askHook(hook, attempt, timeoutMs)
        return answer.kind === 'verdict' ? answer.verdict.allow : unanswered(answer.error)
      } finally {
        asked -= 1
      }
    },
    ended,
    watch: (relay) =>
      relay.on('connection', ({ phase, reason, ...connection }) => {
        if (phase === 'open') factsOf(relay.id, connection.allocationId)
        else if (reason) ended(relay.id, [{ ...connection, reason }])
      }),
    async stop() {
      clearTimeout(timer)
      const rest = (async () => {
        await telling
        await tellAll()
      })()
      await within(stopTimeoutMs, rest)
      if (gathered.length > 0) lose(gathered.splice(0).length)
    },
  }
}
