import type { Socket } from 'node:net'
import { DEFAULT_RELAY_LIMITS, type RelayLimits } from '../../dist/limits.js'
import type { StartMessage } from '../../dist/link/protocol.js'
import { ReadyPools } from '../../dist/pool/ready-pools.js'
import { DataConnection, type Exchange } from '../../dist/stream/data-connection.js'
import { START, socketPair } from '../stream/exchange-support.js'

interface Teardown {
  teardown(handler: () => unknown): void
}

export const DEVICE = 'device'
const turn = (): Promise<unknown> => new Promise((resolve) => setImmediate(resolve))
/** Longer than what a pool does of itself in one turn. */
export const turns = async (): Promise<void> => {
  for (let n = 0; n < 5; n += 1) await turn()
}

/** One end of a link, and the data connections that an agent brings for what is ordered over it. */
export class FakeLink {
  readonly source = '192.0.2.1'
  /** Tokens, one array for each ORDER. */
  readonly orders: string[][] = []
  readonly log: string[]

  constructor(log: string[] = []) {
    this.log = log
  }

  order(tokens: string[]): void {
    this.log.push('order')
    this.orders.push(tokens)
  }

  get tokens(): string[] {
    return this.orders.flat()
  }
}

export interface Brought {
  taken: boolean
  /** The agent's end. */
  connection: DataConnection
  socket: Socket
  started: { message: StartMessage; exchange: Exchange }[]
  closed: boolean
}

export async function bring(t: Teardown, pools: ReadyPools, token: string | undefined): Promise<Brought> {
  const [socket, relaySocket] = await socketPair(t)
  const started: Brought['started'] = []
  const connection = new DataConnection(socket, {
    flushTimeoutMs: 1_000,
    onStart: (message, exchange) => started.push({ message, exchange }),
    onReady: () => {},
    onClose: () => {
      brought.closed = true
    },
  })
  const brought: Brought = { taken: false, connection, socket, started, closed: false }
  brought.taken = pools.connect(token ?? 'none', relaySocket)
  return brought
}

export interface Player {
  outcome: string[]
  exchanges: Exchange[]
  unread: boolean
  cancel: () => void
}

export function play(pools: ReadyPools, remotePort = 1, log: string[] = []): Player {
  const player: Player = { outcome: [], exchanges: [], unread: true, cancel: () => {} }
  const taken = pools.take(DEVICE, {
    message: { ...START, remotePort },
    onPlace: (exchange) => {
      log.push('START')
      player.exchanges.push(exchange)
    },
    onLost: () => player.unread,
    onAccept: () => player.outcome.push('accepted'),
    onFail: (reason) => player.outcome.push(reason),
  })
  if (taken.ok) player.cancel = taken.cancel
  else player.outcome.push(taken.reason)
  return player
}

/** Pools with a link of the device, and a port unless told otherwise. Everything is let go at the end. */
export function start(t: Teardown, given: Partial<RelayLimits> = {}, { port = true } = {}) {
  const limits = { ...DEFAULT_RELAY_LIMITS, ...given }
  const pools = new ReadyPools(limits)
  const log: string[] = []
  const link = new FakeLink(log)
  pools.setLink(DEVICE, link)
  const closePort = port ? pools.open(DEVICE) : () => {}
  t.teardown(() => {
    closePort()
    pools.setLink(DEVICE, undefined)
  })
  return { pools, link, log, closePort }
}
