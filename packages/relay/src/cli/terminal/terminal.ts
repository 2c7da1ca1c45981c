import type { CliContext } from '../context.js'

type Seen = Pick<CliContext, 'env' | 'stdin' | 'stdout' | 'stderr' | 'output'>

/** A person sits at keys and screen, both ours: what is asked will be read, what is drawn over is not a file. */
export function isInteractive(context: Seen): boolean {
  const { stdin, stdout } = context
  return canRedraw(context, stdout) && stdin.isTTY === true && stdin.setRawMode !== undefined
}

/** Lines on this stream may be drawn over: a terminal that knows more than lines, and no `--json`. */
export function canRedraw({ env, output }: Pick<Seen, 'env' | 'output'>, stream: Seen['stdout']): boolean {
  return stream.isTTY === true && !output.json && env['TERM'] !== 'dumb'
}

/** Whether blocks, bars and Braille dots are likely to be shown as such, by what the environment says of the terminal. */
export function showsUnicode(env: CliContext['env'], platform: NodeJS.Platform = process.platform): boolean {
  if (platform === 'win32') return [env['WT_SESSION'], env['TERM_PROGRAM'], env['ConEmuTask']].some(Boolean)
  const locale = env['LC_ALL'] || env['LC_CTYPE'] || env['LANG'] || ''
  return env['TERM'] !== 'linux' && (locale === '' || /utf-?8/i.test(locale))
}
