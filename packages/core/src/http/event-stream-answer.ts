import type { FastifyReply, FastifyRequest } from 'fastify'
import { coreErrors } from '../errors.js'
import type { HttpEngine } from './engine.js'
import type { EventFeed, EventStream, EventStreamAnswer } from './event-stream.js'
import type { RequestState } from './request-state.js'
import type { AnyRoute } from './route-table.js'
import { createStandingCheck } from './standing-check.js'

export const eventStreamType = 'text/event-stream; charset=utf-8'

/** Not to be kept, changed, compressed or gathered by whatever is on the way. */
const headers: Readonly<Record<string, string>> = {
  'content-type': eventStreamType,
  'cache-control': 'no-store, no-transform',
  'x-accel-buffering': 'no',
}
/** A reader has this long for the last of it. */
const lastWordsMs = 1_000
/** When a client may come back: not all at the same moment. */
const retryMs = { least: 1_000, spread: 3_000 }
const lifeSpread = 0.1
const heartbeat = Buffer.from(':\n\n')

/** Answers with what the handler made of it, for as long as it may. */
export function answerWithEvents(
  engine: HttpEngine,
  route: AnyRoute,
  state: RequestState,
  request: FastifyRequest,
  reply: FastifyReply,
  { open, options }: EventStreamAnswer,
): FastifyReply {
  if (engine.closed || engine.inFlight.draining) throw coreErrors.UNAVAILABLE({ reason: 'The panel is stopping' })
  // The time to answer was over before the handler was.
  if (reply.sent) return reply
  if (request.method === 'HEAD') return reply.headers(headers).send()
  const { raw } = reply
  let feed: EventFeed | undefined
  let begun = false
  let ended = false
  const timers: NodeJS.Timeout[] = []
  /** It is called out of timers and events, where nobody would catch what it throws. */
  const tell = (what: (feed: EventFeed) => void): void => {
    try {
      if (feed) what(feed)
    } catch (error) {
      engine.logger.error({ err: error, requestId: state.requestId }, 'the feed of an event stream failed')
      end()
    }
  }

  const finish = (): void => {
    if (ended) return
    ended = true
    for (const timer of timers) clearTimeout(timer)
    engine.streams.delete(end)
    tell((told) => told.ended())
  }
  const end = (): void => {
    finish()
    if (raw.destroyed) return
    raw.end()
    const last = setTimeout(() => raw.destroy(), lastWordsMs).unref()
    raw.once('close', () => clearTimeout(last))
  }
  /** Somebody wanted to send something and may not have. */
  let wasAwaited = true
  const resume = (): void => {
    if (!wasAwaited || !stream.ready) return
    wasAwaited = false
    tell((told) => told.resume())
  }
  const check = createStandingCheck(engine, route, state, request.raw, {
    holds: (principal) => {
      if (principal && !ended) tell((told) => told.principalChanged?.(principal))
    },
    again: resume,
    refused: end,
  })
  const stream: EventStream = {
    get principal() {
      return state.principal
    },
    get ready() {
      const isReady = begun && !ended && check.isFresh && raw.writableLength < options.maxWaitingBytes
      wasAwaited ||= !isReady
      return isReady
    },
    send(frame) {
      if (begun && !ended) raw.write(frame)
    },
    check: (maxAgeMs) => (ended ? Promise.resolve() : check.run(maxAgeMs)),
    end,
  }

  feed = open(stream)
  reply.hijack()
  engine.inFlight.release(raw)
  state.observed = true
  const { method, url: target = '/' } = request.raw
  engine.observation.answered(state, { method: method ?? 'GET', target, route: request.routeOptions.url, status: 200 })
  // Nobody listens any more to what a response says once its client has gone.
  raw.on('error', () => undefined)
  raw.once('close', finish)
  if (raw.destroyed || raw.socket?.destroyed) {
    finish()
    return reply
  }
  engine.streams.add(end)
  // HTTP/2, which a host may speak, has no such header. A connection that outlives its stream would hold up a stop.
  const connection = request.raw.httpVersionMajor === 1 ? { connection: 'close' } : {}
  raw.writeHead(200, { ...(reply.getHeaders() as Record<string, string>), ...headers, ...connection })
  raw.write(`retry: ${Math.round(retryMs.least + Math.random() * retryMs.spread)}\n\n`)
  // It looks at what the peer takes, too: one that takes a little now and then is not silent.
  raw.setTimeout(options.stalledMs, () => raw.destroy())
  raw.on('drain', resume)
  timers.push(
    setInterval(() => {
      // To a reader that has something to take it would only hide that it takes nothing.
      if (raw.writableLength === 0) raw.write(heartbeat)
    }, options.heartbeatMs).unref(),
    setInterval(() => {
      // An answer that waits behind another on the same connection is not told that the connection has gone.
      if (request.raw.socket.destroyed) end()
      else void check.run(0)
    }, options.checkMs).unref(),
    setTimeout(end, options.lifeMs * (1 + (Math.random() * 2 - 1) * lifeSpread)).unref(),
  )
  begun = true
  resume()
  return reply
}
