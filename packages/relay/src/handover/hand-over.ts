import type { Socket } from 'node:net'
import type { RelayParts } from '../relay-parts.js'
import { resetSocket } from '../stream/reset-socket.js'
import { type HandOverChannel, type HandOverKind, HandOverLine, handOverFailed } from './hand-over-line.js'
import type { HandedState } from './handed-state.js'
import type { SocketName } from './taken-sockets.js'
import { describePlayer } from './unread.js'

const MAX_REASON_LENGTH = 500

export interface HandOverSource {
  parts: RelayParts
  /** Nothing is stored from now on; resolves when nothing is being stored. */
  freeze: () => Promise<void>
  /** What holds now, but for what the parts know. */
  describe: () => Pick<HandedState, 'snapshot' | 'epoch' | 'totals'>
}

/**
 * The old process's part: gives state and sockets, and lets go of them when the successor has all. Until then everything goes on here, so
 * that a successor that fails takes nothing along; only who comes as a new player or with a new link waits. Resolves with the line when
 * the successor serves. Rejects with RELAY_ERR_HANDOVER_FAILED; then all is as before.
 */
export async function handOver(
  source: HandOverSource,
  channel: HandOverChannel,
  timeoutMs: number,
): Promise<HandOverLine> {
  const { parts } = source
  const answers = new Answers(channel, timeoutMs)
  const { line } = answers
  try {
    void line.send('offer')
    await answers.next('ask')
    parts.gate.close()
    parts.links.shut = true
    await source.freeze()
    const sockets = socketsOf(parts)
    const flows = parts.table.ports().flatMap((port) => port.flows())
    const state: HandedState = {
      ...source.describe(),
      sockets: sockets.map(([name]) => name),
      tables: parts.flows.handed(),
      flows,
    }
    void line.send('state', state)
    for (const [name, handle] of sockets) void line.send('socket', name, handle)
    void line.send('sockets_sent')
    await answers.next('ready')
  } catch (error) {
    void line.send('abort')
    answers.close()
    line.close()
    parts.links.shut = false
    parts.gate.open()
    throw error
  }
  answers.close()
  commit(source, line)
  return line
}

function commit({ parts }: HandOverSource, line: HandOverLine): void {
  const { table, data, datagrams, flows, links, gate } = parts
  void line.send('commit')
  for (const port of table.ports()) for (const socket of port.release()) pass(line, port.allocation.id, socket)
  for (const { allocationId, socket } of gate.take()) pass(line, allocationId, socket)
  data.release()
  flows.close()
  void datagrams.close()
  links.moveAll()
}

function pass(line: HandOverLine, allocationId: number, socket: Socket): void {
  void line.send('player', describePlayer(allocationId, socket), socket).then((sent) => {
    // Who got nothing must not take it for an answer that is empty.
    if (!sent) resetSocket(socket)
  })
}

/** The data port last: its sockets are those that are missed the soonest. */
function socketsOf({ table, data, datagrams }: RelayParts): [SocketName, unknown][] {
  const sockets: [SocketName, unknown][] = []
  for (const { handle, allocation } of table.ports()) if (handle !== undefined) sockets.push([allocation.id, handle])
  sockets.push(['data', data.handle])
  if (datagrams.handle !== undefined) sockets.push(['datagrams', datagrams.handle])
  return sockets
}

/** What the other process says, step by step and within a time for all of it. */
export class Answers {
  readonly line: HandOverLine
  readonly #timer: NodeJS.Timeout
  #awaited: { kind: HandOverKind; resolve: () => void; reject: (error: Error) => void } | undefined
  #failure: Error | undefined

  constructor(channel: HandOverChannel, timeoutMs: number) {
    this.line = new HandOverLine(channel, {
      onMessage: ({ kind, body }) => {
        if (kind === 'failed') this.#fail(handOverFailed(`the successor says: ${reasonOf(body)}`))
        if (this.#awaited?.kind === kind) this.#awaited.resolve()
        return false
      },
      onEnd: (why) => this.#fail(handOverFailed(why)),
    })
    this.#timer = setTimeout(() => this.#fail(handOverFailed('the successor did not answer in time')), timeoutMs)
  }

  /** Said from now on. */
  next(kind: HandOverKind): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#awaited = { kind, resolve, reject }
      if (this.#failure !== undefined) reject(this.#failure)
    })
  }

  close(): void {
    clearTimeout(this.#timer)
  }

  #fail(error: Error): void {
    this.#failure ??= error
    this.#awaited?.reject(this.#failure)
  }
}

function reasonOf(body: unknown): string {
  return typeof body === 'string' ? body.slice(0, MAX_REASON_LENGTH) : 'nothing'
}
