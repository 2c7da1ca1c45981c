import { lookup } from 'node:dns/promises'
import { connect, isIP, type Socket } from 'node:net'
import type { RejectError } from '../agent-types.js'
import { resetSocket } from '../stream/reset-socket.js'
import { within } from '../within.js'
import type { AllowList } from './allow-rule.js'
import type { LocalSources } from './local-source.js'

export type TargetResult<T> = { ok: true; value: T } | { ok: false; error: RejectError }

export interface Target {
  host: string
  port: number
}

const MAX_ADDRESSES = 8
/** Ports of a player's own source that are tried. */
const SOURCE_TRIES = 3
const KEEP_ALIVE_AFTER_MS = 20_000
const LOOPBACK_NAMES = /^(?:[^.]+\.)*localhost$/

/**
 * The addresses of a target that may be dialled, IPv4 first: game servers seldom listen on IPv6, and UDP does not tell. A name is
 * allowed by its own rule or by those for its addresses. What is returned was checked and is to be dialled as it is, so that
 * a name cannot change in between. `localhost` is loopback whatever the resolver says (RFC 6761 section 6.3).
 */
export async function resolveTarget(
  target: Target,
  allowed: AllowList,
  timeoutMs: number,
): Promise<TargetResult<string[]>> {
  const host = target.host.toLowerCase().replace(/\.$/, '')
  const { port } = target
  if (isIP(host) !== 0)
    return allowed.allowsAddress(host, port) ? { ok: true, value: [host] } : { ok: false, error: 'target_forbidden' }
  const nameAllowed = allowed.allowsName(host, port)
  // Names that no rule could allow are not even looked up.
  if (!nameAllowed && !allowed.allowsPort(port)) return { ok: false, error: 'target_forbidden' }
  const addresses = LOOPBACK_NAMES.test(host) ? ['127.0.0.1', '::1'] : await lookupWithin(host, timeoutMs)
  if (addresses === 'timeout') return { ok: false, error: 'target_timeout' }
  if (addresses.length === 0) return { ok: false, error: 'target_unreachable' }
  // As the rules are now: they may have changed meanwhile.
  const permitted = addresses.filter(
    (address) => allowed.allowsName(host, port) || allowed.allowsAddress(address, port),
  )
  if (permitted.length === 0) return { ok: false, error: 'target_forbidden' }
  return { ok: true, value: permitted.slice(0, MAX_ADDRESSES) }
}

/** For whom a target is dialled, and how a local service can tell. */
export interface DialledFor {
  remoteAddress: string
  sources: LocalSources
}

/**
 * A TCP connection to the first of the target's addresses that takes one. `signal` gives up, as `target_timeout`.
 * @param player to a local service the connection comes from the player's own source address, where there is one
 */
export async function dialTarget(
  target: Target,
  allowed: AllowList,
  timeoutMs: number,
  signal: AbortSignal,
  player?: DialledFor,
): Promise<TargetResult<Socket>> {
  const deadline = performance.now() + timeoutMs
  const resolved = await resolveTarget(target, allowed, timeoutMs)
  if (!resolved.ok) return resolved
  let error: RejectError = 'target_unreachable'
  for (const address of resolved.value) {
    const leftMs = () => deadline - performance.now()
    if (leftMs() <= 0 || signal.aborted) return { ok: false, error: 'target_timeout' }
    const dialled = await dialFor(player, { host: address, port: target.port }, leftMs, signal)
    if (dialled.ok) return dialled
    // A refusal says most: something is there, but not the service.
    if (error !== 'target_refused') error = dialled.error
  }
  return { ok: false, error }
}

type Dialled =
  | { ok: true; value: Socket }
  | { ok: false; error: RejectError; cause?: NodeJS.ErrnoException | undefined }

/** From the player's own source if that can be, else from wherever the system says. */
async function dialFor(
  player: DialledFor | undefined,
  target: Target,
  leftMs: () => number,
  signal: AbortSignal,
): Promise<Dialled> {
  const sources = player?.sources
  const localAddress = sources?.choose(player?.remoteAddress ?? '', target.host)
  if (sources === undefined || localAddress === undefined) return dial(target, leftMs(), signal)
  for (let tries = 0; tries < SOURCE_TRIES; tries += 1) {
    const dialled = await dial(target, leftMs(), signal, { localAddress, localPort: sources.nextPort() })
    if (dialled.ok || dialled.cause === undefined) return dialled
    const fault = sources.judge(dialled.cause)
    if (fault === 'target') return dialled
    if (fault === 'host') return dial(target, leftMs(), signal)
  }
  sources.pause(localAddress)
  return dial(target, leftMs(), signal)
}

function dial(
  { host, port }: Target,
  timeoutMs: number,
  signal: AbortSignal,
  source?: { localAddress: string; localPort: number },
): Promise<Dialled> {
  return new Promise((resolve) => {
    const socket = connectTcp(host, port, source)
    const finish = (result: Dialled) => {
      clearTimeout(timer)
      signal.removeEventListener('abort', onAbort)
      // Nothing of the dialling stays with the socket.
      socket.off('connect', onConnect).off('close', onClose).off('error', onError).on('error', ignore)
      if (!result.ok) giveUp(socket)
      resolve(result)
    }
    let error: RejectError = 'target_unreachable'
    let cause: NodeJS.ErrnoException | undefined
    const onConnect = () => {
      if (isOwnEnd(socket)) {
        error = 'target_refused'
        onClose()
      } else finish({ ok: true, value: socket })
    }
    const onClose = () => finish({ ok: false, error, cause })
    const onAbort = () => finish({ ok: false, error: 'target_timeout' })
    const timer = setTimeout(onAbort, timeoutMs)
    const onError = (failure: NodeJS.ErrnoException) => {
      cause ??= failure
      if (failure.code === 'ECONNREFUSED') error = 'target_refused'
      if (failure.code === 'ETIMEDOUT') error = 'target_timeout'
    }
    socket.on('error', onError).on('connect', onConnect).on('close', onClose)
    signal.addEventListener('abort', onAbort)
    if (signal.aborted) onAbort()
  })
}

/**
 * Where nothing listens, the system may choose the target's own port for this end, and connect the socket to itself (RFC 9293 section 3.5,
 * simultaneous open). The player would hear his own words, and the service could not begin, its port being taken.
 */
function isOwnEnd(socket: Socket): boolean {
  return socket.localPort === socket.remotePort && socket.localAddress === socket.remoteAddress
}

/** What the system has connected already is reset: to the service a closed one would be somebody with nothing to say. */
function giveUp(socket: Socket): void {
  if (socket.connecting) {
    socket.once('connect', () => resetSocket(socket))
    // Node is told of it in the next turn at the latest.
    setImmediate(() => setImmediate(() => socket.destroy()))
  } else resetSocket(socket)
}

/** As players' bytes need it: half-close kept, nothing held back, dead peers found. */
export function connectTcp(host: string, port: number, source?: { localAddress: string; localPort: number }): Socket {
  return connect({
    host,
    port,
    ...source,
    allowHalfOpen: true,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: KEEP_ALIVE_AFTER_MS,
  })
}

/** The resolver cannot be cancelled; a late answer is dropped. */
async function lookupWithin(host: string, timeoutMs: number): Promise<string[] | 'timeout'> {
  const found = lookup(host, { all: true }).then(
    (entries) => entries.sort((a, b) => a.family - b.family).map((entry) => entry.address),
    () => [],
  )
  return (await within(timeoutMs, found)) ?? 'timeout'
}

function ignore(): void {}
