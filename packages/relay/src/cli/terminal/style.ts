import pc from 'picocolors'
import type { CliContext, TerminalStream } from '../context.js'

export type Style = ReturnType<typeof pc.createColors>

/** Colours for a terminal; for anything else, and with NO_COLOR set to anything (no-color.org) or TERM=dumb, texts stay as they are. */
export function styleFor(stream: TerminalStream, env: CliContext['env']): Style {
  return pc.createColors(stream.isTTY === true && !env['NO_COLOR'] && env['TERM'] !== 'dumb')
}
