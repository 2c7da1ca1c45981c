import fc from 'fast-check'
import t from 'tap'
import type { RelayChangeMessage, RelayStateMessage } from '../../dist/control/control-relay-messages.js'
import { createIntake } from '../../dist/control/relay-channel-intake.js'
import { RelayError } from '../../dist/errors.js'
import { silentLogger } from '../../dist/logger.js'
import type { RelayAllocation, RelayChange, RelayState } from '../../dist/relay-types.js'
import { allocation } from '../support.js'

type Message = RelayStateMessage | RelayChangeMessage

/** Holds what it is given, one thing at a time, or says that it was given two at once. */
function fakeRelay() {
  let held = new Map<number, RelayAllocation>()
  let revision = 0
  let busy = false
  const alone = async (work: () => void) => {
    if (busy) throw new Error('two at once')
    busy = true
    await new Promise((resolve) => setImmediate(resolve))
    work()
    busy = false
  }
  return {
    ids: () => [...held.keys()].sort((a, b) => a - b).join(),
    get revision() {
      return revision
    },
    apply: (state: RelayState) =>
      alone(() => {
        if (state.revision < revision) return
        revision = state.revision
        held = new Map(state.allocations.map((one) => [one.id, one]))
      }),
    change: (change: RelayChange) =>
      alone(() => {
        if (change.revision <= revision) return
        revision = change.revision
        for (const id of change.remove) held.delete(id)
        for (const one of change.upsert) held.set(one.id, one)
      }),
  }
}

const ids = fc.uniqueArray(fc.nat(20), { maxLength: 6 })
/** What a panel sends on one connection: the whole, then changes, each in one or two parts. */
const script = fc.array(
  fc.record({ whole: fc.boolean(), upsert: ids, remove: ids, parts: fc.integer({ min: 1, max: 2 }) }),
  {
    minLength: 1,
    maxLength: 8,
  },
)

interface Step {
  messages: Message[]
  /** What is to be served then. */
  expected: string
}

function stepsOf(entries: { whole: boolean; upsert: number[]; remove: number[]; parts: number }[]): Step[] {
  let held = new Set<number>()
  return entries.map(({ whole, upsert, remove, parts }, index) => {
    const revision = index + 1
    const isWhole = whole || index === 0
    if (isWhole) held = new Set()
    else for (const id of remove) held.delete(id)
    for (const id of upsert) held.add(id)
    const messages = Array.from({ length: parts }, (_, part): Message => {
      const items = part === parts - 1 ? upsert.map((id) => allocation(id, 9)) : []
      if (isWhole) return { type: 'relay_state', revision, part, parts, allocations: items }
      const removed = part === 0 ? remove : []
      return { type: 'relay_change', base: index, revision, part, parts, upsert: items, remove: removed }
    })
    return { messages, expected: [...held].sort((a, b) => a - b).join() }
  })
}

async function feed(messages: Message[]) {
  const relay = fakeRelay()
  const applied: number[] = []
  const broken: string[] = []
  const intake = createIntake({
    relay,
    logger: silentLogger,
    onApplied: ({ revision, stored }) => applied.push(stored ? revision : Number.NaN),
    onBroken: (what) => broken.push(what),
  })
  for (const message of messages) if (broken.length === 0) intake.take(message)
  for (let turn = 0; turn < 40; turn += 1) await new Promise((resolve) => setImmediate(resolve))
  return { relay, applied, broken }
}

t.test('what a panel sends in order comes into force, one after the other', async (t) => {
  await fc.assert(
    fc.asyncProperty(script, async (entries) => {
      const steps = stepsOf(entries)
      const { relay, applied, broken } = await feed(steps.flatMap(({ messages }) => messages))
      return broken.length === 0 && applied.at(-1) === steps.length && relay.ids() === steps.at(-1)?.expected
    }),
    { numRuns: 100 },
  )
  t.pass()
})

t.test(
  'a message lost, doubled or out of turn: noticed, or without effect; never a state that the panel did not mean',
  async (t) => {
    const fault = fc.constantFrom('lose', 'double', 'swap')
    await fc.assert(
      fc.asyncProperty(script, fault, fc.nat(), async (entries, kind, pick) => {
        const steps = stepsOf(entries)
        const messages = steps.flatMap((step) => step.messages)
        const at = pick % messages.length
        const chosen = messages[at] as Message
        if (kind === 'lose') messages.splice(at, 1)
        else if (kind === 'double') messages.splice(at, 0, chosen)
        else if (at > 0) messages.splice(at - 1, 2, chosen, messages[at - 1] as Message)
        const { relay } = await feed(messages)
        const { revision } = relay
        return revision === 0 ? relay.ids() === '' : relay.ids() === steps[revision - 1]?.expected
      }),
      { numRuns: 200 },
    )
    t.pass()
  },
)

t.test('what waits is bounded, and a new connection drops it', async (t) => {
  const relay = fakeRelay()
  const broken: string[] = []
  const applied: number[] = []
  const intake = createIntake({
    relay,
    logger: silentLogger,
    onApplied: ({ revision }) => applied.push(revision),
    onBroken: (what) => broken.push(what),
  })
  intake.take({ type: 'relay_state', revision: 1, part: 0, parts: 1, allocations: [] })
  for (let base = 1; broken.length === 0 && base < 10_000; base += 1) {
    const common = { type: 'relay_change', base, revision: base + 1, part: 0, parts: 1 } as const
    intake.take({ ...common, upsert: [], remove: [] })
  }
  t.match(broken, [/faster/])
  intake.reset()
  intake.take({ type: 'relay_state', revision: 20_000, part: 0, parts: 1, allocations: [allocation(5, 9)] })
  while (applied.length === 0) await new Promise((resolve) => setImmediate(resolve))
  t.strictSame(applied, [20_000])
  t.equal(relay.ids(), '5')
})

t.test('a relay that stops meanwhile is no failure of the connection', async (t) => {
  const relay = { ...fakeRelay(), apply: () => Promise.reject(new RelayError('RELAY_ERR_NOT_RUNNING')) }
  const seen: unknown[] = []
  const see = (what: unknown) => void seen.push(what)
  const intake = createIntake({
    relay: { ...relay, revision: 1 },
    logger: silentLogger,
    onApplied: see,
    onBroken: see,
  })
  intake.take({ type: 'relay_state', revision: 1, part: 0, parts: 1, allocations: [] })
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve))
  t.strictSame(seen, [])
})
