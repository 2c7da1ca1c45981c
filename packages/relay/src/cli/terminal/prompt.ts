import type { CliContext } from '../context.js'

const MAX_SECRET_LENGTH = 4_096
const ENTER = new Set(['\r', '\n'])
const BACKSPACE = new Set(['\u007f', '\b'])
const GONE = ['end', 'close', 'error'] as const
const CANCEL = new Set(['\u0003', '\u0004'])

/** True when a person can be asked. */
export function canPrompt({ stdin, stderr }: CliContext): boolean {
  return stdin.isTTY === true && stderr.isTTY === true && stdin.setRawMode !== undefined
}

/** Asks on the terminal without showing what is typed; undefined when cancelled. Raw mode is undone whatever happens. */
export function promptSecret({ stdin, stderr, signal }: CliContext, question: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    let typed = ''
    function done(answer: string | undefined): void {
      stdin.off('data', onData)
      signal.removeEventListener('abort', onAbort)
      for (const event of GONE) stdin.off(event, onAbort)
      stdin.setRawMode?.(false)
      stdin.pause()
      stderr.write('\n')
      resolve(answer)
    }
    function onAbort(): void {
      done(undefined)
    }
    function onData(chunk: Buffer): void {
      for (const character of chunk.toString('utf8')) {
        if (ENTER.has(character) || CANCEL.has(character)) {
          done(ENTER.has(character) ? typed.trim() : undefined)
          return
        }
        if (BACKSPACE.has(character)) typed = typed.slice(0, -1)
        else if (typed.length < MAX_SECRET_LENGTH) typed += character
      }
    }
    // Before the question: what is typed as soon as it is read must not be echoed.
    stdin.setRawMode?.(true)
    stderr.write(`${question}: `)
    stdin.on('data', onData)
    signal.addEventListener('abort', onAbort, { once: true })
    for (const event of GONE) stdin.on(event, onAbort)
    if (signal.aborted) onAbort()
    else stdin.resume()
  })
}
