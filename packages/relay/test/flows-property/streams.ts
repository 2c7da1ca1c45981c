import { randomInt } from 'node:crypto'
import type { Test } from 'tap'
import { linkedPrograms, type RelayProgramOptions, startAgentProgram, startRelayProgram } from '../programs/programs.js'
import { allocation, until } from '../support.js'
import { type Meeting, meetAlone, meetByHeader } from './meeting.js'
import { below, type FlowPlan, MAX_FLOW_BYTES, planOf, randomFrom } from './plan.js'
import { type FlowResult, runFlow } from './run-flow.js'

const FLOWS_AT_ONCE = 100
/** Enough to see what is wrong. */
const MAX_FAULTS = 5

/** To run the flows of a failure again: `FLOWS_SEED`, as it was printed. Fewer or more of them: `FLOWS`. */
const seed = Number(process.env['FLOWS_SEED'] ?? randomInt(2 ** 32))

/**
 * Random flows through a relay and an agent that are processes of their own, a hundred at a time: 'named' all on one allocation whose
 * relay names the player to the target, or each 'alone' on its own, without a byte in front.
 */
export async function streamFlows(t: Test, how: 'named' | 'alone', options: RelayProgramOptions): Promise<void> {
  const count = Number(process.env['FLOWS'] ?? 2_500)
  t.comment(`FLOWS_SEED=${seed} FLOWS=${count}`)
  const relay = await startRelayProgram(t, options)
  const agent = await startAgentProgram(t)
  const meetings: Meeting[] =
    how === 'named'
      ? [await meetByHeader(t, 1)]
      : await Promise.all(Array.from({ length: FLOWS_AT_ONCE }, (_, index) => meetAlone(t, index + 1)))
  await agent.connect(await relay.address())
  await linkedPrograms(relay, agent)
  const allocations = meetings.map(({ allocationId, targetPort, proxyProtocol }) =>
    allocation(allocationId, targetPort, { options: { proxyProtocol } }),
  )
  await relay.apply({ revision: 1, allocations })
  const ports = new Map<Meeting, number>()
  for (const meeting of meetings) ports.set(meeting, await relay.port(meeting.allocationId))

  const pool = poolOf(seed)
  const done: { plan: FlowPlan; result: FlowResult }[] = []
  const faults: string[] = []
  let next = 0
  const worker = async (meeting: Meeting) => {
    while (next < count && faults.length < MAX_FAULTS) {
      const index = next
      next += 1
      const plan = planOf((seed + Math.imul(index, 0x9e3779b1)) >>> 0)
      try {
        const result = await runFlow(plan, index, meeting, ports.get(meeting) ?? 0, pool)
        done.push({ plan, result })
        if (result.faults.length > 0)
          faults.push(`flow ${index}, ${result.faults.join(', ')}: ${JSON.stringify({ plan, ...result })}`)
      } catch (error) {
        faults.push(`flow ${index}: ${error}; ${JSON.stringify(plan)}`)
      }
    }
  }
  const workers = FLOWS_AT_ONCE / meetings.length
  await Promise.all(meetings.flatMap((meeting) => Array.from({ length: workers }, () => worker(meeting))))
  t.same(faults.slice(0, MAX_FAULTS), [], `FLOWS_SEED=${seed}`)
  if (faults.length > 0) return
  t.equal(done.length, count)
  const broken = done.filter(({ result }) => !result.clean)
  const taken = broken.filter(({ result }) => result.taken)
  t.comment(`${broken.length} broken off`)
  t.same(taken.slice(0, MAX_FAULTS), [], `none of them is taken for an end; FLOWS_SEED=${seed}`)
  const open = { relay: 0, agent: 0 }
  const settled = until(async () => {
    open.relay = await relay.open()
    open.agent = await agent.open()
    return open.relay === 0 && open.agent === 0
  })
  await settled.catch(() => undefined)
  t.same(open, { relay: 0, agent: 0 }, 'nothing is open any more')
  const said = new Map<string, Connection>()
  for (const event of relay.connections)
    if (event.phase !== 'open') said.set(`${event.remoteAddress}:${event.remotePort}`, event)
  const wrong = done.flatMap(({ plan, result }) => countFaults(said.get(result.from), plan, result))
  t.same(wrong.slice(0, MAX_FAULTS), [], `the relay says of each what it was; FLOWS_SEED=${seed}`)
  const closed = relay.connections.filter(({ phase }) => phase === 'close')
  for (const traffic of await relay.traffic()) {
    const mine = closed.filter(({ allocationId }) => allocationId === traffic.allocationId)
    const sum = (what: 'bytesIn' | 'bytesOut') => mine.reduce((total, event) => total + event[what], 0)
    const { allocationId } = traffic
    const expected = { bytesIn: sum('bytesIn'), bytesOut: sum('bytesOut'), connections: mine.length, open: 0 }
    t.same(traffic, { allocationId, ...expected }, { diagnostic: false })
  }
  t.ok(relay.alive && agent.alive)
  t.equal(relay.stderr + agent.stderr, '')
}

type Connection = Awaited<ReturnType<typeof startRelayProgram>>['connections'][number]

/** Of a clean flow exactly what passed; of one that was broken off no more than was sent, and no less than was received. */
function countFaults(event: Connection | undefined, plan: FlowPlan, result: FlowResult): string[] {
  const { clean, player, target } = result
  const what = JSON.stringify({ plan, ...result, event })
  if (clean) {
    const { phase, reason, bytesIn, bytesOut } = event ?? {}
    const asItWas =
      phase === 'close' && reason === 'end' && bytesIn === plan.player.bytes && bytesOut === plan.target.bytes
    return asItWas ? [] : [what]
  }
  // It was over before the player knew its own port.
  if (event === undefined) return result.from.includes(':') && !player.broke ? [what] : []
  // Who leaves before the target's acceptance has come back was never connected, though he may have been heard.
  if (event.phase === 'refused' && player.broke) return []
  const least = { in: target?.received ?? 0, out: player.received }
  const inOrder = least.in <= event.bytesIn && event.bytesIn <= plan.player.bytes
  const outOrder = least.out <= event.bytesOut && event.bytesOut <= plan.target.bytes
  return inOrder && outOrder ? [] : [what]
}

function poolOf(seed: number): Buffer {
  const random = randomFrom(seed)
  const pool = Buffer.allocUnsafe(2 * MAX_FLOW_BYTES)
  for (let at = 0; at < pool.length; at += 4) pool.writeUInt32LE(below(random, 2 ** 32), at)
  return pool
}
