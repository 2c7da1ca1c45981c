import { spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import type { Test } from 'tap'
import { until, within } from '../support.js'
import { type Home, MAIN } from './command.js'
import { COLOURS, createScreen } from './screen.js'

export interface TerminalOptions {
  env?: Record<string, string>
  /** Default: 100 by 30. */
  columns?: number
  rows?: number
  /** Another program than the built command: node's arguments before those of the command. */
  main?: readonly string[]
  /** For the end of the command, from when it is asked for. */
  deadlineMs?: number
}

/** A command on a terminal of its own, with a person at the keys. stdout and stderr are one stream there. */
export interface TerminalCommand {
  /** All output, without what steers the terminal. */
  shown(): string
  /** All output as it came. */
  raw(): string
  /**
   * Waits until what was shown since the last match of `sees` matches; gives that. What a program asks for comes before the key that
   * answers it: one call, one `type`.
   */
  sees(pattern: RegExp): Promise<string>
  /** What is on the screen now. */
  screen(): string
  /** Waits until the screen matches; a program that redraws only what differs does not send it all again. */
  shows(pattern: RegExp): Promise<void>
  /** Keys as the terminal sends them, see `Keys`. */
  type(keys: string): void
  resize(columns: number, rows: number): Promise<void>
  /** To the command itself, not to the terminal. */
  kill(signal: NodeJS.Signals): Promise<void>
  /** The command's exit code; 128 and the signal's number when a signal ended it. */
  readonly exit: Promise<number | null>
  /** After the end: what is wrong with the terminal that the next program gets; empty when nothing is. */
  leftovers(): Promise<string[]>
}

export const Keys = {
  enter: '\r',
  up: '\u001b[A',
  down: '\u001b[B',
  left: '\u001b[D',
  right: '\u001b[C',
  escape: '\u001b',
  backspace: '\u007f',
  interrupt: '\u0003',
  end: '\u0004',
} as const

/** Why tests on a terminal are skipped on this machine, or false: they need `script` of util-linux. In CI they fail without it. */
export const terminalMissing: string | false = lacking()

function lacking(): string | false {
  if (process.env['CI'] === 'true') return false
  const { stdout } = spawnSync('script', ['--version'], { encoding: 'utf8' })
  return /util-linux/.test(stdout ?? '') ? false : "needs 'script' of util-linux"
}

/** Runs the command on a pseudo-terminal. Killed at the end of the test if it is still there. */
export function startOnTerminal(
  t: Test,
  home: Pick<Home, 'path' | 'config'>,
  args: readonly string[],
  options: TerminalOptions = {},
): TerminalCommand {
  const { env = {}, columns = 100, rows = 30, main = [MAIN], deadlineMs = 25_000 } = options
  const place = join(home.path, `terminal-${randomBytes(4).toString('hex')}`)
  const all = args.includes('--config') ? args : [...args, '--config', home.config]
  const command = [process.execPath, ...main, ...all].map(quote).join(' ')
  const inner = `echo "$$ $(tty)" >${quote(`${place}.pid`)}; exec ${command}`
  // The trap keeps the shell through Ctrl-C, so that it can look at the terminal afterwards; children have the default again.
  const outer = `trap : INT QUIT TERM; stty rows ${rows} cols ${columns}; sh -c ${quote(inner)}; code=$?; stty -a >${quote(`${place}.stty`)}; exit $code`
  const child = spawn('script', ['--quiet', '--flush', '--return', '--command', outer, '/dev/null'], {
    env: { PATH: process.env['PATH'] ?? '', HOME: home.path, SHELL: '/bin/sh', TERM: 'xterm-256color', ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  let raw = ''
  let shown = ''
  let seen = 0
  let ended = false
  const screen = createScreen(columns, rows)
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      raw += text
      screen.write(text)
      shown = stripVTControlCharacters(raw)
    })
  }
  child.stdin.on('error', () => {})
  const exit = new Promise<number | null>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => {
      ended = true
      resolve(code)
    })
  })

  async function self(): Promise<{ pid: number; tty: string }> {
    const [pid = '', tty = ''] = (await readFile(`${place}.pid`, 'utf8')).trim().split(' ')
    return { pid: Number(pid), tty }
  }

  t.teardown(async () => {
    if (ended) return
    await self().then(
      ({ pid }) => process.kill(pid, 'SIGKILL'),
      () => {},
    )
    child.kill('SIGKILL')
    await exit
  })

  return {
    raw: () => raw,
    shown: () => shown,
    async sees(pattern) {
      let match: RegExpExecArray | null = null
      const look = () => {
        match = pattern.exec(shown.slice(seen))
        return match !== null
      }
      await until(() => look() || ended, `${pattern} on the terminal`).catch(() => {})
      if (!look() || match === null)
        throw new Error(`${pattern} not on the terminal after:\n${shown.slice(0, seen)}\n----\n${shown.slice(seen)}`)
      const [text, at] = [(match as RegExpExecArray)[0], (match as RegExpExecArray).index]
      seen += at + text.length
      return text
    },
    screen: () => screen.lines().join('\n'),
    async shows(pattern) {
      const look = () => pattern.test(screen.lines().join('\n'))
      await until(() => look() || ended, `${pattern} on the screen`).catch(() => {})
      if (!look()) throw new Error(`${pattern} is not on the screen:\n${screen.lines().join('\n')}`)
    },
    type: (keys) => void child.stdin.write(keys),
    async resize(newColumns, newRows) {
      screen.resize(newColumns, newRows)
      const { tty } = await self()
      const { status } = spawnSync('stty', ['-F', tty, 'rows', `${newRows}`, 'cols', `${newColumns}`])
      if (status !== 0) throw new Error(`${tty} cannot be resized`)
    },
    kill: async (signal) => void process.kill((await self()).pid, signal),
    get exit() {
      return within(exit, `the end of sallyport ${args[0] ?? ''} on a terminal`, deadlineMs)
    },
    async leftovers() {
      const modes = await readFile(`${place}.stty`, 'utf8')
      const wrong = ['echo', 'icanon', 'isig', 'icrnl', 'opost'].filter(
        (mode) => !new RegExp(`(^|\\s)${mode}\\b`).test(modes),
      )
      const found = wrong.map((mode) => `-${mode}`)
      if (raw.lastIndexOf('\u001b[?25l') > raw.lastIndexOf('\u001b[?25h')) found.push('the cursor is hidden')
      if (raw.lastIndexOf('\u001b[?1049h') > raw.lastIndexOf('\u001b[?1049l')) found.push('the other screen is shown')
      const colour = [...raw.matchAll(new RegExp(COLOURS, 'g'))].at(-1)?.[1]
      if (colour !== undefined && !['', '0', '22', '39', '49', '27'].includes(colour)) found.push(`colour ${colour}`)
      return found
    },
  }
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
