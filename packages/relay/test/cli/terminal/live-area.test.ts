import { EventEmitter } from 'node:events'
import pc from 'picocolors'
import t, { type Test } from 'tap'
import { createLiveArea, type LiveArea } from '../../../dist/cli/terminal/live-area.js'
import { until } from '../../support.js'

/** As much of a terminal as the area uses: rows that scroll, a cursor, wrapping. */
class Screen extends EventEmitter {
  isTTY = true
  columns: number
  rows: number
  lines: string[] = ['']
  row = 0
  column = 0
  written = 0

  constructor(columns: number, rows: number) {
    super()
    this.columns = columns
    this.rows = rows
  }

  write(text: string): boolean {
    this.written += 1
    const rows = this.rows || 24
    for (const part of text.replaceAll('\u001b[', '\u2402').match(/\u2402\d*[A-Za-z]|\n|\r|[^\u2402\n\r]+/g) ?? []) {
      const [, count = '', letter = ''] = /^\u2402(\d*)([A-Za-z])$/.exec(part) ?? []
      const top = Math.max(this.lines.length - rows, 0)
      const line = this.lines[this.row] ?? ''
      if (letter === 'A') this.row = Math.max(this.row - Number(count || 1), top)
      else if (letter === 'B') this.row = Math.min(this.row + Number(count || 1), this.lines.length - 1)
      else if (letter === 'K') this.lines[this.row] = count === '2' ? '' : line.slice(0, this.column)
      else if (letter === 'J') this.lines = [...this.lines.slice(0, this.row), line.slice(0, this.column)]
      else if (part === '\r') this.column = 0
      else if (part === '\n') {
        this.row += 1
        this.column = 0
        if (this.row >= this.lines.length) this.lines.push('')
      } else if (letter === '') {
        this.lines[this.row] = line.slice(0, this.column) + part + line.slice(this.column + part.length)
        this.column += part.length
        if (this.column > (this.columns || 80)) throw new Error(`wraps: ${part}`)
      } else if (letter !== 'm') throw new Error(`unknown sequence ${JSON.stringify(part)}`)
    }
    return true
  }

  /** Without the empty rows at the end, but for the one with the cursor. */
  shown(): string[] {
    const last = this.lines.findLastIndex((line) => line !== '')
    return this.lines.slice(0, Math.max(last, this.row - 1) + 1)
  }
}

function area(t: Test, columns: number, rows: number, gapMs?: number): { screen: Screen; area: LiveArea } {
  const screen = new Screen(columns, rows)
  const made = createLiveArea(screen as never, (left) => `... and ${left} more`, gapMs)
  t.teardown(() => made.end())
  return { screen, area: made }
}

const line = (text: string) => [{ text }]

t.test('lines come above the area, which stays below; in the end it is gone', async (t) => {
  const { screen, area: live } = area(t, 40, 10)
  live.show([line('one'), line('two')])
  t.strictSame(screen.shown(), ['one', 'two'])
  live.above(() => screen.write('log\n'))
  t.strictSame(screen.shown(), ['log', 'one', 'two'])
  live.show([line('three')])
  await until(() => screen.lines.includes('three'), 'the redraw')
  t.strictSame(screen.shown(), ['log', 'three'])
  screen.write('^C')
  live.end()
  t.strictSame(screen.shown(), ['log'])
  live.above(() => screen.write('after\n'))
  live.show([line('no more')])
  t.strictSame(screen.shown(), ['log', 'after'])
  t.equal(screen.listenerCount('resize'), 0)
})

t.test('too many lines give way to a count, long ones are cut, whatever colours they have', async (t) => {
  const { screen, area: live } = area(t, 20, 8)
  const { red } = pc.createColors(true)
  const wide = [{ text: '日本語'.repeat(10), paint: red }]
  live.show([wide, ...Array.from({ length: 20 }, (_, index) => line(`line ${index} ${'x'.repeat(30)}`))])
  t.equal(screen.shown().length, 6)
  t.equal(screen.lines[5], '... and 16 more')
  t.match(screen.lines[1], /^line 0 x+…$/)
  t.equal(screen.lines[1]?.length, 19)
})

t.test('a terminal of no size, or of one row, does not break it', async (t) => {
  for (const [columns, rows] of [
    [0, 0],
    [1, 1],
  ] as const) {
    const { screen, area: live } = area(t, columns, rows)
    screen.columns = columns
    live.show([line('text'), line('text')])
    t.ok(screen.written > 0)
    live.end()
  }
})

t.test('a narrower terminal has wrapped the area: all of it is taken away', async (t) => {
  const { screen, area: live } = area(t, 40, 12)
  screen.write('log\n')
  live.show([line('y'.repeat(39)), line('z')])
  screen.columns = 20
  // What terminals do with a row that is too long now.
  screen.lines = ['log', 'y'.repeat(20), 'y'.repeat(19), 'z', '']
  screen.row = 4
  screen.emit('resize')
  await until(() => screen.lines.includes(`${'y'.repeat(18)}…`), 'the redraw')
  t.strictSame(screen.shown(), ['log', `${'y'.repeat(18)}…`, 'z'])
})

t.test('at most two redraws a second; the newest is shown', async (t) => {
  const { screen, area: live } = area(t, 40, 10)
  live.show([line('0')])
  for (let index = 1; index <= 1_000; index += 1) live.show([line(String(index))])
  await until(() => screen.lines.includes('1000'), 'the newest')
  t.ok(screen.written <= 3, `${screen.written}`)
})

t.test('nothing is written when nothing has changed', async (t) => {
  const { screen, area: live } = area(t, 40, 10, 0)
  for (const text of ['one', 'one', 'two', 'two']) live.show([line(text)])
  t.strictSame(screen.shown(), ['two'])
  t.equal(screen.written, 2)
})

t.test('what strangers name themselves does not steer the terminal', async (t) => {
  const { screen, area: live } = area(t, 40, 10)
  live.show([line('a\u001b[2Jb\u202ec')])
  t.strictSame(screen.shown(), ['a [2Jb c'])
})
