import type { CliContext } from '../context.js'
import { fit } from './fit.js'
import { styleFor } from './style.js'
import { canRedraw, showsUnicode } from './terminal.js'

const BRAILLE = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏']
const ASCII = ['-', '\\', '|', '/']
const FRAME_MS = 120
/** Back to the line's start and away with what is there. */
const CLEAR = '\r\u001b[2K'
const DEFAULT_COLUMNS = 80

export interface SpinnerOptions {
  /** Asked at each turn, so it may count. */
  text: () => string
  /** What is over sooner shows nothing. */
  delayMs?: number
}

/**
 * One turning line on stderr while something is waited for, below what the output says; nothing where lines cannot be drawn over. The cursor
 * stays as it is and no key or signal is caught, so there is nothing to give back, however the process ends. Call what it gives to end it.
 */
export function startSpinner(context: CliContext, { text, delayMs = 0 }: SpinnerOptions): () => void {
  const { stderr, env, output } = context
  if (!canRedraw(context, stderr)) return () => {}
  const frames = showsUnicode(env) ? BRAILLE : ASCII
  const style = styleFor(stderr, env)
  const shownFrom = performance.now() + delayMs
  let turn = 0
  let shown = false

  function draw(): void {
    if (performance.now() < shownFrom) return
    const line = fit(text(), (stderr.columns ?? DEFAULT_COLUMNS) - 3)
    stderr.write(`${CLEAR}${style.cyan(frames[turn % frames.length])} ${line}`)
    turn += 1
    shown = true
  }
  function clear(): void {
    if (shown) stderr.write(CLEAR)
    shown = false
  }

  const timer = setInterval(draw, FRAME_MS)
  output.around((write) => {
    clear()
    write()
    draw()
  })
  draw()
  return () => {
    clearInterval(timer)
    clear()
    output.around(undefined)
  }
}

/** The promise, with a spinner while it takes long. */
export async function withSpinner<T>(context: CliContext, text: string, promise: Promise<T>): Promise<T> {
  const stop = startSpinner(context, { text: () => text, delayMs: 400 })
  try {
    return await promise
  } finally {
    stop()
  }
}
