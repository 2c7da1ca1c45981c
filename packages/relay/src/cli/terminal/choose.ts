import type { CliContext } from '../context.js'
import { type Asked, ask } from './ask.js'
import { columnsOf, type Line } from './live-area.js'
import { styleFor } from './style.js'
import { showsUnicode } from './terminal.js'

export interface Choice<T> {
  value: T
  label: string
  /** A letter that takes it at once; not j and k, which move. */
  key?: string
  /** What stays on the screen when it was taken; default: the label. */
  taken?: string
}

export interface ChooseOptions<T> {
  question: string
  /** What stands for it once it is answered; default: the question. */
  answered?: string
  /** A line above the choices, such as the head of a table. */
  head?: string
  choices: readonly Choice<T>[]
  initial?: T
}

const DEFAULT_ROWS = 24
/** Where keys by these names lead. */
const STEPS: Readonly<Record<string, number>> = { up: -1, k: -1, down: 1, j: 1, tab: 1 }
const JUMPS: Readonly<Record<string, number>> = { home: 0, end: -1 }

/** Lets a person take one of the choices: arrows and Enter, or its letter. As many are shown as the terminal has lines for. */
export async function choose<T>(context: CliContext, options: ChooseOptions<T>): Promise<Asked<T>> {
  const { stdout, env } = context
  const { question, answered = question, head, choices, initial } = options
  const style = styleFor(stdout, env)
  const pointer = showsUnicode(env) ? '❯ ' : '> '
  const mark = { text: '? ', paint: style.cyan }
  const count = choices.length
  let at = Math.max(
    choices.findIndex(({ value }) => value === initial),
    0,
  )

  function rows(): Line[] {
    const around = 5 + (head === undefined ? 0 : 1)
    const room = Math.max((stdout.rows || DEFAULT_ROWS) - around, 1)
    // The present one in the middle, where that can be.
    const first = Math.max(0, Math.min(at - Math.floor(room / 2), count - room))
    const shown = choices.slice(first, first + room).map(({ label, key }, index): Line => {
      const text = key === undefined ? label : `${key}  ${label}`
      return first + index === at ? [{ text: `${pointer}${text}`, paint: style.cyan }] : [{ text: `  ${text}` }]
    })
    return count > room ? [...shown, [{ text: `  ${at + 1} of ${count}`, paint: style.dim }]] : shown
  }

  const asked = await ask<number>(context, {
    lines: () => [
      [mark, { text: question, paint: style.bold }],
      ...(head === undefined ? [] : [[{ text: `  ${head}`, paint: style.dim }]]),
      ...rows(),
      [
        { text: columnsOf(stdout) > 60 ? 'arrows and Enter to choose, ' : 'Enter, ' },
        { text: 'Esc: back, Ctrl-C: quit' },
      ].map((span) => ({ ...span, paint: style.dim })),
    ],
    key(character, { name = '', ctrl, meta }) {
      if (ctrl || meta) return undefined
      const taken = choices.findIndex(({ key }) => key !== undefined && key === character?.toLowerCase())
      if (taken !== -1) return { value: taken }
      if (Object.hasOwn(STEPS, name)) at = (at + (STEPS[name] ?? 0) + count) % count
      if (Object.hasOwn(JUMPS, name)) at = ((JUMPS[name] ?? 0) + count) % count
      return undefined
    },
    enter: () => ({ value: at }),
    answered(value) {
      const choice = value === undefined ? undefined : choices[value]
      const text = choice === undefined ? '-' : (choice.taken ?? choice.label).trim()
      return [mark, { text: answered === '' ? '' : `${answered} `, paint: style.bold }, { text }]
    },
  })
  return asked.kind === 'answer' ? { kind: 'answer', value: (choices[asked.value] as Choice<T>).value } : asked
}
