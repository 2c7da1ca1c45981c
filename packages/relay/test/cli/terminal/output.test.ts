import { PassThrough } from 'node:stream'
import t from 'tap'
import type { CliContext } from '../../../dist/cli/context.js'
import { createOutput } from '../../../dist/cli/terminal/output.js'
import { canPrompt, promptSecret } from '../../../dist/cli/terminal/prompt.js'
import { renderTable, showBytes } from '../../../dist/cli/terminal/table.js'
import { showAddress } from '../../../dist/cli/tunnels/target.js'
import { lines } from '../command.js'

const SECRET = 'header.payload.signature'
const ESCAPE = '\u001b'

function outputs(options: { json?: boolean; verbose?: boolean } = {}) {
  const stdout = new PassThrough()
  const stderr = new PassThrough()
  const output = createOutput({ stdout, stderr, json: options.json === true, verbose: options.verbose === true })
  output.secret(SECRET)
  return { output, out: () => String(stdout.read() ?? ''), err: () => String(stderr.read() ?? '') }
}

t.test('a secret gets out of no method, plain or as JSON', (t) => {
  for (const json of [false, true]) {
    const { output, out, err } = outputs({ json, verbose: true })
    const fields = { nested: { value: `x ${SECRET}`, ticket: 'unregistered-ticket', list: [SECRET] } }
    output.event('e', SECRET, fields)
    output.notice('n', SECRET, fields)
    output.error('c', SECRET)
    output.debug(SECRET, fields)
    output.result({ value: SECRET }, SECRET)
    output.logger.info(fields, SECRET)
    output.logger.error({ err: new Error(SECRET), authorization: 'Bearer other' }, SECRET)
    const text = out() + err()
    t.notOk(text.includes(SECRET))
    t.ok(text.includes('[secret]'))
  }
  const { output, err } = outputs({ verbose: true })
  output.debug('fields', { ticket: 'unregistered', headers: { Authorization: 'Bearer unregistered' } })
  t.notMatch(err(), /unregistered/)
  t.end()
})

t.test('texts of strangers cannot steer the terminal nor fake a line', (t) => {
  const { output, out, err } = outputs()
  output.event('e', `name ${ESCAPE}[2J\r\nconnected to evil`)
  output.error('c', `x\u009b31m\u202e`)
  t.equal(out().split('\n').length, 2)
  t.notOk(out().includes(ESCAPE))
  t.notOk(/[\u0080-\u009f\u202e]/.test(err()))
  t.end()
})

t.test('json: one object on each line; debug only with verbose', (t) => {
  const { output, out, err } = outputs({ json: true })
  output.event('e', 'two\nlines', { count: 1 })
  output.debug('quiet')
  t.match(lines(out()), [{ level: 'info', event: 'e', message: 'two\nlines', count: 1 }])
  t.equal(err(), '')
  t.end()
})

t.test('values that JSON cannot hold do not break a debug line', (t) => {
  const { output, err } = outputs({ json: true, verbose: true })
  const loop: Record<string, unknown> = { big: 1n, at: new Date(0) }
  loop['self'] = loop
  output.debug('odd', loop)
  t.match(lines(err()), [{ message: 'odd', fields: { big: '1' } }])
  t.end()
})

function terminal() {
  const stdin = Object.assign(new PassThrough(), {
    isTTY: true,
    modes: [] as boolean[],
    setRawMode: (mode: boolean) => stdin.modes.push(mode),
  })
  const stderr = Object.assign(new PassThrough(), { isTTY: true })
  const cancel = new AbortController()
  const { output } = outputs()
  const context: CliContext = { env: {}, stdin, stdout: stderr, stderr, signal: cancel.signal, output, configPath: '' }
  return { stdin, stderr, cancel, context }
}

t.test('the prompt takes a key unseen, and gives the terminal back', async (t) => {
  const { stdin, stderr, context } = terminal()
  t.ok(canPrompt(context))
  const answer = promptSecret(context, 'Key')
  stdin.write('secret-kez\u007fy\r')
  t.equal(await answer, 'secret-key')
  t.strictSame(stdin.modes, [true, false])
  t.equal(String(stderr.read()), 'Key: \n')
  t.equal(stdin.listenerCount('data'), 0)
})

t.test('Ctrl-C, Ctrl-D and a signal cancel the prompt', async (t) => {
  for (const key of ['\u0003', '\u0004']) {
    const { stdin, context } = terminal()
    const answer = promptSecret(context, 'Key')
    stdin.write(`abc${key}`)
    t.equal(await answer, undefined)
    t.strictSame(stdin.modes, [true, false])
  }
  const { stdin, cancel, context } = terminal()
  const answer = promptSecret(context, 'Key')
  cancel.abort()
  t.equal(await answer, undefined)
  t.strictSame(stdin.modes, [true, false])
  t.notOk(canPrompt({ ...context, stdin: Object.assign(new PassThrough(), { isTTY: false }) }))
})

t.test('tables, bytes and addresses', (t) => {
  t.equal(
    renderTable(
      ['ID', 'NAME'],
      [
        ['1', 'a'],
        ['10', 'long'],
      ],
      [0],
    ),
    'ID  NAME\n 1  a\n10  long',
  )
  t.equal(
    renderTable(
      ['A', 'B'],
      [
        ['日本', 'x'],
        ['abc', 'y'],
      ],
      [],
    ),
    'A     B\n日本  x\nabc   y',
  )
  t.strictSame([0, 1_023, 1_024, 1_536, 5 * 1024 ** 3].map(showBytes), [
    '0 B',
    '1023 B',
    '1.0 KiB',
    '1.5 KiB',
    '5.0 GiB',
  ])
  t.equal(showAddress('::1', 80), '[::1]:80')
  t.equal(showAddress('localhost', 80), 'localhost:80')
  t.end()
})
