import { readdir } from 'node:fs/promises'
import t, { type Test } from 'tap'
import { encode } from 'uqr'
import { type FakeAnswer, html } from '../../fake-panel.js'
import { createHome } from '../command.js'
import { Keys, startOnTerminal, type TerminalOptions, terminalMissing } from '../pseudo-terminal.js'
import { COLOURS } from '../screen.js'
import { approved, DEVICE_CODE, POLL, panelWith, pending, START, TOKEN } from './enroll-panel.js'

const skip = terminalMissing
const BLOCKS = /[█▀▄]/

async function enrolling(t: Test, options: TerminalOptions = {}, args: string[] = []) {
  const home = await createHome(t)
  let answer: FakeAnswer = pending
  const panel = await panelWith(t, [])
  panel.routes.set(POLL, () => answer)
  const terminal = startOnTerminal(t, home, ['enroll', '--panel', panel.url, '--name', 'box', ...args], options)
  const answers = (next: FakeAnswer) => {
    answer = next
  }
  return { home, panel, terminal, answers }
}

t.test('code, link, QR code and the time that is left; then it is done', { skip }, async (t) => {
  const { home, panel, terminal, answers } = await enrolling(t, { rows: 40, columns: 250 })
  await terminal.shows(/code {2}ABCD-1234\n {4}link {2}http.*\/device\?user_code=ABCD-1234\n\n[\s\S]*█/)
  await terminal.shows(/^. Waiting for the approval, (10:00|9:5\d) left \(Ctrl-C cancels\)$/m)
  await terminal.shows(/9:5[0-8] left/)
  t.equal(terminal.screen().match(/Waiting/g)?.length, 1, 'one line, drawn over')
  answers(approved)
  await terminal.shows(
    /Enrolled as box; the token is in .*agent\.json\. Start the agent with 'sallyport run --config .*agent\.json'\./,
  )
  t.equal(await terminal.exit, 0)
  t.notMatch(terminal.screen(), /Waiting/)
  t.strictSame(await terminal.leftovers(), [])
  t.match(JSON.parse(await home.read()), { token: TOKEN })
  for (const secret of [TOKEN, DEVICE_CODE]) t.notOk(terminal.raw().includes(secret))
  t.ok(panel.requestsTo(START).length === 1)
})

/** The modules of the QR code on the screen: true is dark. `drawn`: what the blocks stand for. */
function modules(screen: string, drawn: boolean): boolean[][] {
  const lines = screen.split('\n')
  const first = lines.findIndex((line) => BLOCKS.test(line))
  const last = lines.findLastIndex((line) => BLOCKS.test(line))
  const width = Math.max(...lines.map((line) => line.length))
  return lines.slice(first, last + 1).flatMap((line) => {
    const cells = Array.from(line.slice(4).padEnd(width - 4))
    return [cells.map((cell) => '█▀'.includes(cell) === drawn), cells.map((cell) => '█▄'.includes(cell) === drawn)]
  })
}

for (const [name, env, drawn] of [
  ['dark blocks on light', {}, true],
  ['NO_COLOR: light blocks', { NO_COLOR: '1' }, false],
  ['NO_COLOR on a light terminal: dark blocks', { NO_COLOR: '1', COLORFGBG: '0;15' }, true],
] as const) {
  t.test(`the QR code is the link's (${name})`, { skip }, async (t) => {
    const { panel, terminal } = await enrolling(t, { rows: 40, env })
    await terminal.shows(/Waiting/)
    const { data } = encode(`${panel.url}/device?user_code=ABCD-1234`, { ecc: 'L', border: 0 })
    const shown = modules(terminal.screen(), drawn)
    const wanted = data.map((row) => row.map((isDark) => (isDark ? '#' : '.')).join(''))
    const rows = shown.map((row) => row.map((isDark) => (isDark ? '#' : '.')).join(''))
    const at = rows.findIndex((row) => row.includes(wanted[0] as string))
    const left = rows[at]?.indexOf(wanted[0] as string) ?? -1
    t.ok(at >= 0 && left >= (drawn ? 0 : 2))
    t.strictSame(
      rows.slice(at, at + wanted.length).map((row) => row.slice(left, left + wanted.length)),
      wanted,
    )
    if (!('NO_COLOR' in env))
      t.ok(terminal.raw().includes('\u001b[38;5;16;48;5;231m'), 'black on white, whatever the theme')
    else t.notMatch(terminal.raw(), COLOURS)
    terminal.type(Keys.interrupt)
    await terminal.exit
  })
}

for (const [name, options] of [
  ['too few lines', { rows: 20 }],
  ['too few columns', { columns: 30, rows: 60 }],
  ['a terminal without Unicode', { rows: 60, env: { LANG: 'C' } }],
  ['a terminal of lines only', { rows: 60, env: { TERM: 'dumb' } }],
] as const) {
  t.test(`${name}: no QR code, all else`, { skip }, async (t) => {
    const { terminal } = await enrolling(t, options)
    await terminal.sees(/ABCD-1234[\s\S]*Waiting/)
    t.notMatch(terminal.shown(), BLOCKS)
    terminal.type(Keys.interrupt)
    t.equal(await terminal.exit, 1)
    t.strictSame(await terminal.leftovers(), [])
  })
}

t.test('--json on a terminal: lines of JSON only', { skip }, async (t) => {
  const { terminal, answers } = await enrolling(t, { rows: 60, columns: 200 }, ['--json'])
  await terminal.sees(/"userCode":"ABCD-1234"/)
  answers(approved)
  t.equal(await terminal.exit, 0)
  t.notOk(terminal.raw().includes('\u001b'))
  for (const line of terminal.shown().trim().split(/\r?\n/)) t.ok(JSON.parse(line))
})

t.test('what is said meanwhile stands above the line that turns', { skip }, async (t) => {
  const { terminal, answers } = await enrolling(t, { rows: 20, columns: 250 })
  await terminal.shows(/Waiting/)
  answers(html(502))
  await terminal.shows(/out of reach.*\n. Waiting for the approval/)
  answers({ body: { approved: false, interval: 0.1 } })
  answers(approved)
  t.equal(await terminal.exit, 0)
})

for (const [name, end] of [
  ['Ctrl-C', (terminal: ReturnType<typeof startOnTerminal>) => terminal.type(Keys.interrupt)],
  ['SIGTERM', (terminal: ReturnType<typeof startOnTerminal>) => terminal.kill('SIGTERM')],
] as const) {
  t.test(`${name} while waiting: cancelled, 1, nothing saved, a clean terminal`, { skip }, async (t) => {
    const { home, terminal } = await enrolling(t)
    await terminal.shows(/Waiting/)
    await end(terminal)
    t.equal(await terminal.exit, 1)
    t.match(terminal.screen(), /error: cancelled; nothing was saved$/)
    t.notMatch(terminal.screen(), /Waiting/)
    t.strictSame(await terminal.leftovers(), [])
    t.notOk((await readdir(home.path)).includes('agent.json'))
  })
}

t.test("the time left is by the panel's clock", { skip }, async (t) => {
  const home = await createHome(t)
  const panel = await panelWith(t, [], 30)
  const start = panel.routes.get(START)
  const day = 86_400_000
  panel.routes.set(START, (request) => {
    const answer = start?.(request) ?? {}
    const expiresAt = new Date(Date.now() + day + 300_000).toISOString()
    return {
      headers: { date: new Date(Date.now() + day).toUTCString() },
      body: { ...(answer.body as object), expiresAt },
    }
  })
  const terminal = startOnTerminal(t, home, ['enroll', '--panel', panel.url])
  await terminal.shows(/good for about 5 min[\s\S]*(5:0\d|4:5\d) left/)
  terminal.type(Keys.interrupt)
  await terminal.exit
})

t.test("an administrator's key is asked for, not shown, and may be cancelled", { skip }, async (t) => {
  const key = 'sp_admin_key_0123456789abcdef'
  const one = await enrolling(t, { columns: 250 }, ['--kind', 'server', '--verbose'])
  await one.terminal.sees(/administrator's API key\?/)
  one.terminal.type(`${key}x${Keys.backspace}${Keys.enter}`)
  await one.terminal.shows(/Waiting/)
  one.answers(approved)
  t.equal(await one.terminal.exit, 0)
  t.match(one.terminal.screen(), /Start the relay with 'sallyport relay --config /)
  t.equal(one.panel.requestsTo(START)[0]?.headers.authorization, `ApiKey ${key}`)
  t.notOk(one.terminal.raw().includes(key.slice(0, 8)))
  t.strictSame(await one.terminal.leftovers(), [])

  for (const keys of [Keys.interrupt, Keys.escape]) {
    const two = await enrolling(t, {}, ['--kind', 'server'])
    await two.terminal.sees(/API key\?/)
    two.terminal.type(`abc${keys}`)
    t.equal(await two.terminal.exit, 1)
    t.match(two.terminal.screen(), /cancelled; nothing was saved/)
    t.equal(two.panel.requests.length, 0)
    t.strictSame(await two.terminal.leftovers(), [])
  }
})
