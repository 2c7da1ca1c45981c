import { createInterface, type Key } from 'node:readline'
import type { CliContext } from '../context.js'
import { columnsOf, createLiveArea, cutLine, type Line } from './live-area.js'

/** `back`: Escape, Ctrl-D. `interrupted`: Ctrl-C, a signal, the terminal is gone. */
export type Asked<T> = { kind: 'answer'; value: T } | { kind: 'back' } | { kind: 'interrupted' }

/** What has been typed, and where in it the cursor stands. */
export interface Typed {
  text: string
  cursor: number
}

export interface Question<T> {
  /** What is on the screen, asked anew after each key. */
  lines(typed: Typed): readonly Line[]
  /** A key other than Enter; gives the answer when it is one. */
  key(character: string | undefined, key: Key): { value: T } | undefined
  /** Enter; nothing when the text is no answer. */
  enter(text: string): { value: T } | undefined
  /** The line that stays. */
  answered(value: T | undefined): Line
}

const ESCAPE_TIMEOUT_MS = 50

/**
 * Asks one question on the terminal. Node's readline reads the keys and edits the text; what is on the screen is ours. The cursor is not hidden;
 * raw mode is undone and no listener stays behind, however it ends.
 */
export function ask<T>({ stdin, stdout, signal }: CliContext, question: Question<T>): Promise<Asked<T>> {
  if (signal.aborted) return Promise.resolve({ kind: 'interrupted' })
  return new Promise((resolve) => {
    const area = createLiveArea(stdout, () => '…', 0)
    const reader = createInterface({
      input: stdin,
      terminal: true,
      historySize: 0,
      escapeCodeTimeout: ESCAPE_TIMEOUT_MS,
    })
    let isOver = false

    function finish(asked: Asked<T>): void {
      if (isOver) return
      isOver = true
      signal.removeEventListener('abort', interrupt)
      stdin.off('keypress', onKey)
      stdin.off('error', interrupt)
      stdout.off('resize', show)
      reader.close()
      area.end()
      const last = question.answered(asked.kind === 'answer' ? asked.value : undefined)
      stdout.write(`${cutLine(last, columnsOf(stdout) - 1).text}\n`)
      resolve(asked)
    }
    function interrupt(): void {
      finish({ kind: 'interrupted' })
    }
    function show(): void {
      if (!isOver) area.show(question.lines({ text: reader.line, cursor: reader.cursor }))
    }
    function onKey(character: string | undefined, key: Key): void {
      // Enter comes as a line.
      if (isOver || key.name === 'return' || key.name === 'enter') return
      if (key.name === 'escape') {
        finish({ kind: 'back' })
        return
      }
      const answer = question.key(character, key)
      if (answer) finish({ kind: 'answer', value: answer.value })
      else show()
    }

    reader.on('SIGINT', interrupt)
    // Ctrl-D, or the terminal is gone.
    reader.on('close', () => (stdin.readableEnded || stdin.destroyed ? interrupt() : finish({ kind: 'back' })))
    reader.on('line', (text) => {
      const answer = question.enter(text)
      if (answer) return finish({ kind: 'answer', value: answer.value })
      // Enter has taken it away; it is to be mended.
      reader.write(text)
      show()
    })
    // After Ctrl-Z and fg: in new lines, what is above the cursor is the shell's.
    reader.on('SIGCONT', () => {
      reader.resume()
      stdout.write('\n'.repeat(question.lines({ text: reader.line, cursor: reader.cursor }).length))
      area.above(() => {})
    })
    signal.addEventListener('abort', interrupt, { once: true })
    stdin.on('keypress', onKey)
    stdin.on('error', interrupt)
    stdout.on('resize', show)
    show()
  })
}
