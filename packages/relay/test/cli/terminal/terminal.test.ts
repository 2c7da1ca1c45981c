import { PassThrough } from 'node:stream'
import t from 'tap'
import type { CliContext } from '../../../dist/cli/context.js'
import { askText } from '../../../dist/cli/terminal/ask-text.js'
import { fit } from '../../../dist/cli/terminal/fit.js'
import { createOutput } from '../../../dist/cli/terminal/output.js'
import { startSpinner, withSpinner } from '../../../dist/cli/terminal/spinner.js'
import { canRedraw, isInteractive, showsUnicode } from '../../../dist/cli/terminal/terminal.js'
import { until } from '../../support.js'
import { createScreen } from '../screen.js'

function contextOf(options: { env?: Record<string, string>; json?: boolean; isTTY?: boolean; columns?: number } = {}) {
  const { env = {}, json = false, isTTY = true, columns = 40 } = options
  const stream = () => Object.assign(new PassThrough(), { isTTY, columns, rows: 10 })
  const modes: boolean[] = []
  const stdin = Object.assign(new PassThrough(), { isTTY, setRawMode: (mode: boolean) => modes.push(mode) })
  const [stdout, stderr] = [stream(), stream()]
  const cancel = new AbortController()
  const output = createOutput({ stdout, stderr, json, verbose: false })
  const context: CliContext = {
    env,
    stdin,
    stdout,
    stderr,
    signal: cancel.signal,
    output,
    configPath: '',
  }
  return { context, stdin, stdout, stderr, modes, cancel }
}

t.test('a person is asked, and lines drawn over, on a terminal only', (t) => {
  t.ok(isInteractive(contextOf().context))
  for (const options of [{ isTTY: false }, { json: true }, { env: { TERM: 'dumb' } }]) {
    const { context } = contextOf(options)
    t.notOk(isInteractive(context))
    t.notOk(canRedraw(context, context.stderr))
  }
  const { context } = contextOf()
  t.notOk(isInteractive({ ...context, stdin: Object.assign(new PassThrough(), { isTTY: false }) }))
  t.end()
})

t.test('Unicode is for terminals that are likely to show it', (t) => {
  for (const env of [{}, { LANG: 'de_DE.UTF-8' }, { LC_ALL: 'C.utf8', LANG: 'C' }]) t.ok(showsUnicode(env, 'linux'))
  for (const env of [{ LANG: 'C' }, { TERM: 'linux' }, { LC_ALL: 'POSIX', LANG: 'de_DE.UTF-8' }]) {
    t.notOk(showsUnicode(env, 'linux'))
  }
  t.notOk(showsUnicode({}, 'win32'))
  t.ok(showsUnicode({ WT_SESSION: 'x' }, 'win32'))
  t.end()
})

t.test('texts are cut by what they take on the screen', (t) => {
  t.equal(fit('hello', 5), 'hello')
  t.equal(fit('hello!', 5), 'hell…')
  t.equal(fit('日本語', 6), '日本語')
  t.equal(fit('日本語', 5), '日本…')
  t.equal(fit('日本語', 4), '日…')
  t.equal(fit('👩‍👩‍👧abc', 3), '👩‍👩‍👧…')
  t.equal(fit('abc', 1), '…')
  t.equal(fit('abc', 0), '')
  t.end()
})

const SECRET = { question: 'Key?', isSecret: true, refuse: (text: string) => (text === 'no' ? 'Wrong.' : undefined) }

t.test('a secret is taken unseen, a wrong one is mended, and the terminal given back', async (t) => {
  const { context, stdin, stdout, modes } = contextOf({ env: { NO_COLOR: '1' } })
  const answer = askText(context, SECRET)
  stdin.write('no\r')
  stdin.write('t-this-kez\u007fy\r')
  t.strictSame(await answer, { kind: 'answer', value: 'not-this-key' })
  const shown = String(stdout.read())
  t.match(shown, /Wrong\.[\s\S]*\? Key\? \n$/)
  t.notMatch(shown, /no|t-/)
  t.strictSame(modes, [true, false])
  for (const event of ['keypress', 'error']) t.equal(stdin.listenerCount(event), 0, event)
  t.equal(stdout.listenerCount('resize'), 0)
})

t.test('Escape and Ctrl-D go back, Ctrl-C, a signal and the end of the terminal interrupt', async (t) => {
  type World = ReturnType<typeof contextOf>
  for (const [kind, leave] of [
    ['back', ({ stdin }: World) => stdin.write('abc\u001b')],
    ['back', ({ stdin }: World) => stdin.write('\u0004')],
    ['interrupted', ({ stdin }: World) => stdin.write('abc\u0003')],
    ['interrupted', ({ stdin }: World) => stdin.end()],
    ['interrupted', ({ cancel }: World) => cancel.abort()],
  ] as const) {
    const world = contextOf({ env: { NO_COLOR: '1' } })
    const answer = askText(world.context, SECRET)
    leave(world)
    t.strictSame(await answer, { kind })
    t.equal(world.modes.at(-1), false)
    t.match(String(world.stdout.read()), /\? Key\? -\n$/)
  }
})

t.test('of a text that is longer than the line, what is typed is in sight', async (t) => {
  const { context, stdin, stdout, cancel } = contextOf({ columns: 12, env: { NO_COLOR: '1' } })
  const screen = createScreen(12, 10)
  stdout.on('data', (chunk) => screen.write(String(chunk).replaceAll('\n', '\r\n')))
  const answer = askText(context, { question: 'Where?', refuse: () => undefined })
  stdin.write('host.example.com:80')
  await until(() => screen.lines().includes('> e.com:80|'), 'the end of what was typed')
  cancel.abort()
  t.strictSame(await answer, { kind: 'interrupted' })
})

t.test('the spinner turns in one line below what is said, and goes away', async (t) => {
  const { context, stderr } = contextOf()
  const screen = createScreen(40, 10)
  stderr.on('data', (chunk) => screen.write(String(chunk).replaceAll('\n', '\r\n')))
  let turns = 0
  const stop = startSpinner(context, {
    text: () => {
      turns += 1
      return `turn ${turns} ${'x'.repeat(60)}`
    },
  })
  await until(() => /turn 3/.test(screen.lines().join('\n')), 'the third turn')
  t.equal(screen.lines().length, 1)
  context.output.notice('n', 'something happened')
  await until(() => screen.lines().length === 2, 'both lines')
  t.match(screen.lines(), ['something happened', /^. turn \d+ x+…$/])
  stop()
  context.output.notice('n', 'after')
  await until(() => screen.lines().includes('after'), 'the last line')
  t.strictSame(screen.lines(), ['something happened', 'after'])
})

t.test('the spinner says nothing for what is quick, or where lines cannot be drawn over', async (t) => {
  const quick = contextOf()
  t.equal(await withSpinner(quick.context, 'quick', Promise.resolve(1)), 1)
  t.equal(quick.stderr.read(), null)
  for (const options of [{ isTTY: false }, { json: true }, { env: { TERM: 'dumb' } }]) {
    const { context, stderr } = contextOf(options)
    startSpinner(context, { text: () => 'turn' })()
    t.equal(stderr.read(), null)
  }
})
