import type { CliContext, TerminalStream } from '../context.js'

/** Of light modules around it. The standard asks for four; on a screen two are read as well, and rows are few. */
const BORDER = 2
const HALVES = ['█', '▀', '▄', ' '] as const

/**
 * A link as a QR code of half blocks (two modules each), in so many lines; undefined where it does not fit. Dark on light by its own
 * colours, whatever the terminal's; with NO_COLOR by the terminal's own, which is taken for a dark one unless it says otherwise.
 */
export async function qrCode(
  link: string,
  { stream, env, rows }: { stream: TerminalStream; env: CliContext['env']; rows: number },
): Promise<string[] | undefined> {
  const { encode } = await import('uqr')
  const matrix = attempt(() => encode(link, { ecc: 'L', border: BORDER }).data)
  if (matrix === undefined || matrix.length > (stream.columns ?? 0) - 4 || matrix.length / 2 > rows) return undefined
  const isPlain = Boolean(env['NO_COLOR'])
  const lines: string[] = []
  for (let y = 0; y < matrix.length; y += 2) {
    const line = (matrix[y] ?? []).map((isDark, x) => half(isDark, matrix[y + 1]?.[x] ?? false)).join('')
    if (isPlain) lines.push(isLight(env) ? invert(line) : line)
    else lines.push(`${colours(env)}${invert(line)}\u001b[0m`)
  }
  return lines
}

/** Light is drawn. */
function half(isUpperDark: boolean, isLowerDark: boolean): string {
  return HALVES[(isUpperDark ? 2 : 0) + (isLowerDark ? 1 : 0)] as string
}

/** Dark is drawn. */
function invert(line: string): string {
  return line.replaceAll(/./gu, (block) => HALVES[3 - HALVES.indexOf(block as ' ')] as string)
}

/** Black on white; of the 256 colours where there are some, for themes change the first sixteen. */
function colours(env: CliContext['env']): string {
  return env['COLORTERM'] || /256color|direct/.test(env['TERM'] ?? '') ? '\u001b[38;5;16;48;5;231m' : '\u001b[30;47m'
}

/** `foreground;background`, as some terminals say it: 7 and 15 are white. */
function isLight(env: CliContext['env']): boolean {
  return /;(7|15)$/.test(env['COLORFGBG'] ?? '')
}

/** A link can be too long for any code. */
function attempt<T>(make: () => T): T | undefined {
  try {
    return make()
  } catch {
    return undefined
  }
}
