import type { Sql } from '@sallyport/core'
import type { Transaction } from 'sequelize'
import type { Placing } from './placement.js'
import { type HeldPort, type PortMap, readHeldPorts, readPorts, scanFreePorts, somePorts } from './ports.js'

/** Numbers that are tried before the whole range is looked at: with half of it taken one in 256 needs that. */
const guesses = 8

/**
 * Finds a number for each, as far as there is one: the wanted one; else the one that is kept for the device since the same
 * local port last had it; else one at random. The caller holds the locks of the host groups.
 */
export async function choosePorts(
  sql: Sql,
  transaction: Transaction,
  items: readonly Placing[],
): Promise<Map<Placing, number>> {
  if (items.length === 0) return new Map()
  const held = await readHeldPorts(sql, transaction, [...new Set(items.map(({ device }) => device.id))])
  const tried = new Map(items.map((item) => [item, candidates(item, held)]))
  const numbers = [...tried].flatMap(([{ relay }, ports]) =>
    [...ports.first, ...ports.last].map((port) => ({ hostGroup: relay.hostGroup, port })),
  )
  const map = await readPorts(sql, transaction, numbers)
  const chosen = new Map<Placing, number>()
  const choose = (item: Placing, ports: readonly number[]): boolean => {
    const port = ports.find((number) => isFree(map, item, number))
    if (port === undefined) return false
    map.take({ hostGroup: item.relay.hostGroup, port }, item.protocols)
    chosen.set(item, port)
    return true
  }

  const without = items.filter((item) => !choose(item, tried.get(item)?.first ?? []))
  for (const alike of groupAlike(without.filter(({ port }) => port === undefined))) {
    const [{ relay, protocols }] = alike
    // Enough that others of this transaction, and numbers to be avoided, leave one for each.
    const count = items.length + Math.max(...alike.map(({ avoid }) => avoid.size))
    const free = await scanFreePorts(sql, transaction, relay.hostGroup, relay.portRange, protocols, count)
    for (const item of alike) if (!choose(item, free)) choose(item, tried.get(item)?.last ?? [])
  }
  return chosen
}

function isFree(map: PortMap, { relay, protocols, device, avoid }: Placing, port: number): boolean {
  return !avoid.has(port) && map.isFree({ hostGroup: relay.hostGroup, port }, protocols, device.id)
}

/** `last`: what is kept for the device's other targets, when nothing else is left. */
function candidates(
  { port, relay, device, protocols, localPort }: Placing,
  held: readonly HeldPort[],
): { first: readonly number[]; last: readonly number[] } {
  if (port !== undefined) return { first: [port], last: [] }
  const { from, to } = relay.portRange
  const own = held.filter(
    (one) => one.deviceId === device.id && one.hostGroup === relay.hostGroup && one.port >= from && one.port <= to,
  )
  const fitting = own.filter((one) => one.localPort === localPort && protocols.includes(one.protocol))
  const kept = new Set(own.map((one) => one.port))
  const random = somePorts(relay.portRange, guesses).filter((number) => !kept.has(number))
  return { first: [...fitting.map((one) => one.port), ...random], last: [...kept] }
}

/** Those that one look at the range serves. */
function groupAlike(items: readonly Placing[]): [Placing, ...Placing[]][] {
  const groups = new Map<string, [Placing, ...Placing[]]>()
  for (const item of items) {
    const { hostGroup, portRange } = item.relay
    const key = JSON.stringify([hostGroup, portRange.from, portRange.to, item.protocols])
    const group = groups.get(key)
    if (group) group.push(item)
    else groups.set(key, [item])
  }
  return [...groups.values()]
}
