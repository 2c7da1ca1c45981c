import { createHash } from 'node:crypto'
import type { Socket } from 'node:net'
import { addressOfPlayer, dialFrom, type Meeting } from './meeting.js'
import { type FlowPlan, type Random, randomFrom, type SidePlan } from './plan.js'
import { Side, type SideResult } from './side.js'

/** Without a byte either way. */
const STILL_MS = 10_000

export interface FlowResult {
  /** Where the player came from: `address:port`; the port is missing when it left at once. */
  from: string
  player: SideResult
  /** Undefined: the player broke off before there was one. */
  target: SideResult | undefined
  clean: boolean
  /** It was broken off without an end before, and the other side took that for one. */
  taken: boolean
  /** What is wrong, in words. */
  faults: string[]
}

/** One flow through the relay at `port`. Rejects when it does not come to an end. */
export async function runFlow(
  plan: FlowPlan,
  index: number,
  meeting: Meeting,
  port: number,
  pool: Buffer,
): Promise<FlowResult> {
  const remoteAddress = addressOfPlayer(index)
  const random: Random = randomFrom(plan.seed ^ 0x5bd1e995)
  const expected = meeting.expect(remoteAddress)
  // Where nobody can be told apart, nobody leaves before the other is there.
  const mayBreak = meeting.proxyProtocol === 'none' ? expected : Promise.resolve()
  const sideOf = (who: 'player' | 'target', socket: Socket) =>
    new Side(socket, plan[who], contentOf(plan[who], pool), random, {
      after: plan.breaks?.by === who ? plan.breaks.after : undefined,
      once: mayBreak,
    })
  const sides: Side[] = []
  const dialled = sideOf('player', dialFrom(remoteAddress, port))
  sides.push(dialled)
  let from = remoteAddress
  dialled.socket.on('connect', () => {
    from = `${remoteAddress}:${dialled.socket.localPort}`
  })
  const playing = dialled.run()
  const steps = () => sides.reduce((sum, side) => sum + side.steps, 0)
  const met = expected.then((socket) => {
    const side = sideOf('target', socket)
    sides.push(side)
    return side.run()
  })
  try {
    // A player who breaks off may never be met; who does not, is.
    const player = await whileMoving(playing, steps, 'the end of the player')
    const alone = sides.length === 1 && player.broke
    const target = alone ? undefined : await whileMoving(met, steps, 'the end of the target')
    return judge(plan, pool, { from, player, target })
  } catch (error) {
    throw new Error(`${error}; player, target: ${sides.join(', ')}`)
  } finally {
    meeting.forget(remoteAddress)
    for (const { socket } of sides) socket.destroy()
  }
}

/** On a machine with much else to do a flow of many pauses takes long; one that stands still is lost. */
async function whileMoving<T>(result: Promise<T>, steps: () => number, what: string): Promise<T> {
  let seen = steps()
  let seenAt = performance.now()
  let watch: NodeJS.Timeout | undefined
  const stuck = new Promise<never>((_, reject) => {
    watch = setInterval(() => {
      const now = performance.now()
      if (steps() !== seen) [seen, seenAt] = [steps(), now]
      else if (now - seenAt > STILL_MS) reject(new Error(`stands still: ${what}`))
    }, STILL_MS / 10)
  })
  return await Promise.race([result, stuck]).finally(() => clearInterval(watch))
}

function contentOf(side: SidePlan, pool: Buffer): Buffer {
  return pool.subarray(side.offset, side.offset + side.bytes)
}

function judge(
  plan: FlowPlan,
  pool: Buffer,
  { from, player, target }: { from: string; player: SideResult; target: SideResult | undefined },
): FlowResult {
  const clean = !player.broke && target !== undefined && !target.broke
  const faults: string[] = []
  let taken = false
  const check = (who: 'player' | 'target', one: SideResult, other: SideResult | undefined) => {
    const sent = contentOf(who === 'player' ? plan.target : plan.player, pool)
    const passed = sent.subarray(0, one.received)
    if (one.received > sent.length || createHash('sha256').update(passed).digest('hex') !== one.sha256)
      faults.push(`${who} did not receive what was sent`)
    if (clean && !one.ended) faults.push(`${who} saw no end but ${one.error}`)
    if (!one.broke && !one.ended && one.error === undefined) faults.push(`${who} saw neither an end nor a reset`)
    if (clean && one.error !== undefined) faults.push(`${who} saw ${one.error}`)
    if (!one.ended || (other?.finished && one.received === sent.length)) return
    if (clean) faults.push(`${who} saw the end after ${one.received} bytes`)
    else if (!one.broke && !other?.finished) taken = true
  }
  check('player', player, target)
  if (target !== undefined) check('target', target, player)
  return { from, player, target, clean, taken, faults }
}
