import type { Writable } from 'node:stream'
import type { Logger } from '../../logger.js'

export interface OutputOptions {
  stdout: Writable
  stderr: Writable
  json: boolean
  verbose: boolean
  /** Puts command lines as they are called here. */
  say?: (text: string) => string
}

type Fields = Record<string, unknown>

/**
 * What a command says. Results and events go to stdout, notices, errors and `--verbose` lines to stderr; with `--json` each is one JSON object
 * on one line. Values given to `secret` never get out. Lines that nobody reads wait within bounds, then they are counted instead.
 */
export interface Output {
  readonly json: boolean
  event(event: string, message: string, fields?: Fields): void
  notice(event: string, message: string, fields?: Fields): void
  error(code: string, message: string): void
  debug(message: string, fields?: Fields): void
  /** With `--json` the document, else the text (which may have several lines). */
  result(document: unknown, text: string): void
  secret(value: string): void
  /** Every line is written by way of `wrap` from now on, which calls what it is given once; undefined: as it was. */
  around(wrap: ((write: () => void) => void) | undefined): void
  /** For the library's parts: warnings and errors, and the rest with `--verbose`. */
  readonly logger: Logger
}

const HIDDEN = '[secret]'
const HIDDEN_FIELDS = new Set(['token', 'ticket', 'resume', 'authorization', 'devicecode', 'apikey'])
const MAX_FIELD_DEPTH = 4
/** For a reader that does not read: a terminal that is halted, a pipe that is full. */
const MAX_WAITING_BYTES = 1_048_576

export function createOutput({ stdout, stderr, json, verbose, say = (text) => text }: OutputOptions): Output {
  const secrets: string[] = []
  /** Lines that were not written, since the last that was. */
  const missing = new Map<Writable, number>()
  let wrap: ((write: () => void) => void) | undefined

  function write(stream: Writable, text: string): void {
    let clean = say(text)
    for (const secret of secrets) clean = clean.replaceAll(secret, HIDDEN)
    const put = () => {
      if (stream.writableLength > MAX_WAITING_BYTES) {
        missing.set(stream, (missing.get(stream) ?? 0) + 1)
        return
      }
      const gap = missing.get(stream)
      missing.delete(stream)
      stream.write(gap === undefined ? `${clean}\n` : `${gapLine(gap)}\n${clean}\n`)
    }
    if (wrap === undefined) put()
    else wrap(put)
  }

  function gapLine(lines: number): string {
    const message = `${lines} lines are missing here: they were not read in time`
    if (!json) return message
    return JSON.stringify({ time: new Date().toISOString(), level: 'warn', event: 'lines_missing', message, lines })
  }

  function line(stream: Writable, level: string, event: string, message: string, fields: Fields): void {
    if (json) write(stream, JSON.stringify({ time: new Date().toISOString(), level, event, message, ...fields }))
    else write(stream, oneLine(message))
  }

  function debug(message: string, fields: Fields = {}): void {
    if (!verbose) return
    const shown = presentable(fields, 0) as Fields
    if (json) line(stderr, 'debug', 'debug', message, { fields: shown })
    else
      line(
        stderr,
        'debug',
        'debug',
        `debug: ${message}${Object.keys(shown).length > 0 ? ` ${JSON.stringify(shown)}` : ''}`,
        {},
      )
  }

  return {
    json,
    event: (event, message, fields = {}) => line(stdout, 'info', event, message, fields),
    notice: (event, message, fields = {}) => line(stderr, 'warn', event, message, fields),
    error: (code, message) => line(stderr, 'error', 'error', json ? message : `error: ${message}`, { error: code }),
    debug,
    result: (document, text) =>
      write(stdout, json ? JSON.stringify(document) : text.split('\n').map(oneLine).join('\n')),
    secret(value) {
      if (value.length >= 8 && !secrets.includes(value)) secrets.push(value)
    },
    around(next) {
      wrap = next
    },
    logger: {
      debug: (fields, message) => debug(message, fields),
      info: (fields, message) => debug(message, fields),
      warn: (fields, message) => debug(message, fields),
      error(fields, message) {
        const { error } = fields
        const detail = typeof error === 'string' ? `${message}: ${error}` : message
        line(stderr, 'error', 'error', json ? detail : `error: ${detail}`, { error: 'internal' })
        debug(message, fields)
      },
    },
  }
}

/** Strangers' texts (host names, device names, problem details) must not steer the terminal. */
export function oneLine(text: string): string {
  return text.replaceAll(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu, ' ')
}

function presentable(value: unknown, depth: number): unknown {
  if (value instanceof Error)
    return { name: value.name, message: value.message, code: (value as { code?: unknown }).code }
  if (value instanceof Date || typeof value !== 'object' || value === null) {
    return typeof value === 'bigint' || typeof value === 'function' ? String(value) : value
  }
  if (depth >= MAX_FIELD_DEPTH) return '…'
  if (Array.isArray(value)) return value.slice(0, 20).map((item) => presentable(item, depth + 1))
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key,
      HIDDEN_FIELDS.has(key.toLowerCase()) ? HIDDEN : presentable(item, depth + 1),
    ]),
  )
}
