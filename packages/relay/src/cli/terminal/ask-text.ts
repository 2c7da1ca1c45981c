import type { CliContext } from '../context.js'
import { type Asked, ask } from './ask.js'
import { columnsOf, type Line } from './live-area.js'
import { styleFor } from './style.js'

export interface AskTextOptions {
  question: string
  /** Said beside the question. */
  hint?: string
  /** Taken when nothing is typed; shown with the question. */
  initial?: string
  /** What is typed is not shown, then or later. */
  isSecret?: boolean
  /** What is wrong with it, or undefined. */
  refuse: (text: string) => string | undefined
}

/** Columns for the mark before the text, the cursor and the free one at the end. */
const AROUND_TEXT = 4

/** Asks for a line of text, until it is one that can be used. */
export function askText(context: CliContext, options: AskTextOptions): Promise<Asked<string>> {
  const { question, hint, initial, isSecret = false, refuse } = options
  const { stdout, env } = context
  const style = styleFor(stdout, env)
  const hints = [hint, initial === undefined ? undefined : `Enter: ${initial}`].filter(Boolean).join('; ')
  const asks: Line = [
    { text: '? ', paint: style.cyan },
    { text: question, paint: style.bold },
  ]
  let trouble: string | undefined
  return ask<string>(context, {
    lines({ text: typed, cursor }) {
      const text = isSecret ? '' : typed
      // Of what is longer than the line, the part before the cursor is in sight.
      const room = Math.max(columnsOf(stdout) - AROUND_TEXT, 1)
      return [
        [...asks, { text: hints === '' ? '' : ` (${hints})`, paint: style.dim }],
        [
          { text: '> ', paint: style.cyan },
          { text: text.slice(Math.max(cursor - room, 0), cursor) },
          // The terminal's own cursor stands below.
          style.isColorSupported
            ? { text: text.slice(cursor, cursor + 1) || ' ', paint: style.inverse }
            : { text: '|' },
          { text: text.slice(style.isColorSupported ? cursor + 1 : cursor) },
        ],
        ...(trouble === undefined ? [] : [[{ text: `  ${trouble}`, paint: style.red }]]),
      ]
    },
    key() {
      trouble = undefined
      return undefined
    },
    enter(typed) {
      const text = typed.trim() === '' && initial !== undefined ? initial : typed.trim()
      trouble = refuse(text)
      return trouble === undefined ? { value: text } : undefined
    },
    answered: (value) => [...asks, { text: ` ${isSecret && value !== undefined ? '' : (value ?? '-')}` }],
  })
}
