import type { CliContext } from '../context.js'
import { createLiveArea } from './live-area.js'
import { styleFor } from './style.js'
import { canRedraw, showsUnicode } from './terminal.js'

const BRAILLE = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏']
const ASCII = ['-', '\\', '|', '/']
const FRAME_MS = 120

export interface SpinnerOptions {
  /** Asked at each turn, so it may count. */
  text: () => string
  /** What is over sooner shows nothing. */
  delayMs?: number
}

/** One turning line on stderr while something is waited for, below what the output says; nothing where lines cannot be drawn over. Call what it gives to end it. */
export function startSpinner(context: CliContext, { text, delayMs = 0 }: SpinnerOptions): () => void {
  const { stderr, env, output } = context
  if (!canRedraw(context, stderr)) return () => {}
  const frames = showsUnicode(env) ? BRAILLE : ASCII
  const { cyan } = styleFor(stderr, env)
  const area = createLiveArea(stderr, () => '', 0)
  const shownFrom = performance.now() + delayMs
  let turn = 0

  function draw(): void {
    if (performance.now() < shownFrom) return
    area.show([[{ text: `${frames[turn % frames.length]} `, paint: cyan }, { text: text() }]])
    turn += 1
  }

  const timer = setInterval(draw, FRAME_MS)
  output.around(area.above)
  draw()
  return () => {
    clearInterval(timer)
    output.around(undefined)
    area.end()
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
