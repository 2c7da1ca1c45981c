import { PassThrough } from 'node:stream'
import t from 'tap'
import { createOutput } from '../../../dist/cli/terminal/output.js'
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
