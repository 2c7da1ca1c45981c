import { PassThrough } from 'node:stream'
import t from 'tap'
import type { CliContext } from '../../../dist/cli/context.js'
import { fit } from '../../../dist/cli/terminal/fit.js'
import { createOutput } from '../../../dist/cli/terminal/output.js'
import { startSpinner, withSpinner } from '../../../dist/cli/terminal/spinner.js'
import { canRedraw, isInteractive, showsUnicode } from '../../../dist/cli/terminal/terminal.js'
import { until } from '../../fake-panel.js'
import { createScreen } from '../screen.js'

function contextOf(options: { env?: Record<string, string>; json?: boolean; isTTY?: boolean; columns?: number } = {}) {
  const { env = {}, json = false, isTTY = true, columns = 40 } = options
  const stream = () => Object.assign(new PassThrough(), { isTTY, columns, rows: 10 })
  const stdin = Object.assign(new PassThrough(), { isTTY, setRawMode: () => {} })
  const [stdout, stderr] = [stream(), stream()]
  const output = createOutput({ stdout, stderr, json, verbose: false })
  const context: CliContext = {
    env,
    stdin,
    stdout,
    stderr,
    signal: new AbortController().signal,
    output,
    configPath: '',
  }
  return { context, stderr }
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
