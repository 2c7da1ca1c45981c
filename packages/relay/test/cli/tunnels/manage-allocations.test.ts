import { type AddressInfo, createServer } from 'node:net'
import t, { type Test } from 'tap'
import { html, problem } from '../../fake-panel.js'
import { Keys, startOnTerminal, type TerminalOptions, terminalMissing } from '../pseudo-terminal.js'
import { COLOURS } from '../screen.js'
import { enrolled, type FakeAllocation, LIST, MAKE, ONE, PATH, serveAllocations, TOKEN } from './tunnels-panel.js'

const skip = terminalMissing

async function managing(t: Test, allocations: FakeAllocation[], options: TerminalOptions = {}) {
  const { panel, home } = await enrolled(t)
  serveAllocations(panel, allocations)
  const terminal = startOnTerminal(t, home, ['allocations'], options)
  return { panel, home, terminal }
}

t.test('lists on a terminal, and q quits with 0 and leaves it clean', { skip }, async (t) => {
  const { terminal } = await managing(t, [{ ...ONE }, { ...ONE, id: 3, status: 'closed', relayOnline: false }])
  await terminal.sees(
    /2 tunnels at http:[\s\S]*ID +PROTOCOL +PUBLIC.*RELAY[\s\S]*Frankfurt[\s\S]*closed +Frankfurt \(offline\)/,
  )
  await terminal.sees(/q +quit[\s\S]*Ctrl-C: quit/)
  terminal.type('q')
  t.equal(await terminal.exit, 0)
  t.strictSame(await terminal.leftovers(), [])
  t.notOk(terminal.raw().includes(TOKEN))
})

t.test('pause, resume, change the target, copy, remove: each by its route', { skip }, async (t) => {
  const { panel, terminal } = await managing(t, [{ ...ONE }, { ...ONE, id: 13, port: 20_002 }])
  const menu = /take players|copy play[\s\S]*back[\s\S]*Ctrl-C/
  async function open() {
    await terminal.sees(/tunnels? at [\s\S]*Ctrl-C: quit/)
    terminal.type(Keys.enter)
    await terminal.sees(menu)
  }
  await terminal.sees(/tunnels at[\s\S]*Ctrl-C: quit/)
  terminal.type(Keys.down)
  await terminal.shows(/❯ 13 /)
  terminal.type(Keys.enter)
  await terminal.sees(menu)
  terminal.type('p')
  await terminal.sees(/paused tcp play\.example\.com:20002/)
  t.equal(panel.requestsTo(`POST ${PATH}/13/close`).length, 1)

  await open()
  await terminal.sees(/resume|back/)
  terminal.type('p')
  await terminal.sees(/resumed tcp play\.example\.com:20002/)

  await open()
  terminal.type('t')
  await terminal.sees(/127\.0\.0\.1:25565/)
  terminal.type(`${Keys.backspace.repeat(30)}nonsense:99999${Keys.enter}`)
  await terminal.sees(/port from 1 to 65535/)
  terminal.type(`${Keys.backspace.repeat(30)}192.168.1.20:19132${Keys.enter}`)
  await terminal.sees(/changed to tcp play\.example\.com:20002 -> 192\.168\.1\.20:19132/)
  await terminal.sees(/--allow 192\.168\.1\.20:19132/)
  t.strictSame(panel.requestsTo(`PATCH ${PATH}/13`)[0]?.body, { localHost: '192.168.1.20', localPort: 19_132 })

  await open()
  terminal.type('c')
  await terminal.sees(/play\.example\.com:20002 \(copied/)
  const copied = Buffer.from('play.example.com:20002').toString('base64')
  t.ok(terminal.raw().includes(`\u001b]52;c;${copied}\u0007`))

  await open()
  terminal.type('d')
  await terminal.sees(/Remove tcp play[\s\S]*yes, remove it/)
  terminal.type('n')
  await open()
  t.equal(panel.requestsTo(`DELETE ${PATH}/13`).length, 0, 'no is no')
  terminal.type('d')
  await terminal.sees(/yes, remove it/)
  terminal.type('y')
  await terminal.sees(/removed tcp play\.example\.com:20002/)
  await terminal.sees(/1 tunnel at [\s\S]*Ctrl-C: quit/)
  t.equal(panel.requestsTo(`DELETE ${PATH}/13`).length, 1)
  terminal.type(Keys.escape)
  t.equal(await terminal.exit, 0)
  t.strictSame(await terminal.leftovers(), [])
  t.match(panel.requests[0]?.headers.authorization, `Bearer ${TOKEN}`)
})

t.test('a new tunnel is asked for, with and without a wish for its port', { skip }, async (t) => {
  const { panel, terminal } = await managing(t, [])
  await terminal.sees(/No tunnels yet[\s\S]*quit[\s\S]*Ctrl-C: quit/)
  terminal.type('o')
  await terminal.sees(/carry[\s\S]*both/)
  terminal.type(`${Keys.down}${Keys.enter}`)
  await terminal.sees(/service listen/)
  terminal.type(`19132${Keys.enter}`)
  await terminal.sees(/Public port\?/)
  terminal.type(`70000${Keys.enter}`)
  await terminal.sees(/1 to 65535/)
  terminal.type(`${Keys.backspace.repeat(5)}20500${Keys.enter}`)
  await terminal.sees(/opened udp play\.example\.com:20500 -> 127\.0\.0\.1:19132/)
  t.strictSame(panel.requestsTo(MAKE)[0]?.body, {
    localHost: '127.0.0.1',
    localPort: 19_132,
    protocol: 'udp',
    port: 20_500,
  })
  await terminal.sees(/1 tunnel at[\s\S]*Ctrl-C: quit/)
  terminal.type('o')
  await terminal.sees(/carry[\s\S]*both/)
  terminal.type('b')
  await terminal.sees(/service listen/)
  terminal.type(`[::1]:25565${Keys.enter}`)
  await terminal.sees(/Public port\?/)
  terminal.type(Keys.enter)
  await terminal.sees(/opened tcp [\s\S]*opened udp .*\[::1\]:25565/)
  t.strictSame(panel.requestsTo(MAKE)[1]?.body, { localHost: '::1', localPort: 25_565, protocol: 'both' })
  await terminal.sees(/3 tunnels at[\s\S]*Ctrl-C: quit/)
  terminal.type(Keys.end)
  t.equal(await terminal.exit, 0)
})

t.test('what the panel refuses is said, and the list comes again', { skip }, async (t) => {
  const { panel, terminal } = await managing(t, [{ ...ONE }])
  panel.routes.set(MAKE, () => problem(403, 'quota_exceeded', 'The quota of 1 allocations is used up'))
  panel.routes.set(`POST ${PATH}/12/close`, () => html(502))
  await terminal.sees(/Ctrl-C: quit/)
  terminal.type('o')
  await terminal.sees(/carry[\s\S]*both/)
  terminal.type('t')
  await terminal.sees(/service listen/)
  terminal.type(`80${Keys.enter}`)
  await terminal.sees(/Public port\?/)
  terminal.type(Keys.enter)
  await terminal.sees(/error: the quota of tunnels is used up/)
  await terminal.sees(/1 tunnel at[\s\S]*Ctrl-C: quit/)
  terminal.type(Keys.enter)
  await terminal.sees(/back[\s\S]*Ctrl-C/)
  terminal.type('p')
  await terminal.sees(/error: .*out of reach/)
  await terminal.sees(/1 tunnel at[\s\S]*Ctrl-C: quit/)
  panel.routes.set(LIST, () => problem(401, 'unauthorized'))
  terminal.type('r')
  await terminal.sees(/error: .*enrol again/)
  t.equal(await terminal.exit, 3)
  t.strictSame(await terminal.leftovers(), [])
})

const interruptions: [string, (terminal: ReturnType<typeof startOnTerminal>) => void | Promise<void>][] = [
  ['Ctrl-C', (terminal) => terminal.type(Keys.interrupt)],
  ['SIGTERM', (terminal) => terminal.kill('SIGTERM')],
  ['SIGINT', (terminal) => terminal.kill('SIGINT')],
]
for (const [name, interrupt] of interruptions) {
  t.test(
    `${name} ends it with 1 and leaves the terminal clean: in the list, in a menu, at a question`,
    { skip },
    async (t) => {
      for (const depth of [0, 1, 2]) {
        const { terminal } = await managing(t, [{ ...ONE }])
        await terminal.sees(/Ctrl-C: quit/)
        if (depth > 0) {
          terminal.type(Keys.enter)
          await terminal.sees(/back[\s\S]*Ctrl-C/)
        }
        if (depth > 1) {
          terminal.type('t')
          await terminal.sees(/25565/)
        }
        await interrupt(terminal)
        t.equal(await terminal.exit, 1)
        t.match(terminal.shown(), /error: cancelled\s*$/)
        t.strictSame(await terminal.leftovers(), [])
      }
    },
  )
}

t.test('a panel that lets wait: that is shown, and Ctrl-C ends it', { skip }, async (t) => {
  const { home } = await enrolled(t)
  const server = createServer((socket) => {
    socket.on('error', () => {})
    t.teardown(() => socket.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  await home.enrol({ panel: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, token: TOKEN })
  const terminal = startOnTerminal(t, home, ['allocations'])
  await terminal.shows(/^. Asking the panel$/)
  terminal.type(Keys.interrupt)
  t.equal(await terminal.exit, 1)
  t.match(terminal.screen(), /error: cancelled$/)
  t.strictSame(await terminal.leftovers(), [])
})

t.test('a panel that is away from the first: exit 69', { skip }, async (t) => {
  const { panel, home } = await enrolled(t)
  await panel.close()
  const terminal = startOnTerminal(t, home, ['allocations'])
  t.equal(await terminal.exit, 69)
  t.match(terminal.shown(), /^error: .*out of reach/)
})

t.test('more tunnels than lines, a narrow terminal, one that is resized', { skip }, async (t) => {
  const many = Array.from({ length: 60 }, (_, at) => ({ ...ONE, id: at + 1, port: 20_000 + at }))
  const { terminal } = await managing(t, many, { columns: 44, rows: 12 })
  await terminal.shows(/^\? 60 tunnels at http/)
  for (const line of terminal.screen().split('\n')) t.ok(line.length < 44, line)
  for (let at = 2; at <= 12; at += 1) {
    terminal.type(Keys.down)
    await terminal.shows(new RegExp(`^\\? 60 tunnels[\\s\\S]*❯ +${at} [\\s\\S]*${at} of 63`))
  }
  await terminal.resize(100, 40)
  await terminal.shows(/60 tunnels[\s\S]*12 of 63[\s\S]*arrows and Enter/)
  terminal.type(Keys.enter)
  await terminal.sees(/tcp play\.example\.com:20011[\s\S]*back/)
  terminal.type('b')
  await terminal.sees(/12 of 63/)
  terminal.type('q')
  t.equal(await terminal.exit, 0)
})

t.test('keys at random: it goes on or ends, and gives the terminal back', { skip }, async (t) => {
  const keys = ['\r', Keys.up, Keys.down, Keys.left, 'o', 'r', 'p', 't', 'c', 'd', 'y', '2', '5', ':', 'é', '日', '\t']
  const more = [Keys.backspace, '\u0015', '\u001b[H', '\u000c', '\u001b[200~', 'hello world', '\u0000', '\u001bx']
  const all = [...keys, ...more]
  const { terminal } = await managing(t, [{ ...ONE }, { ...ONE, id: 13 }], { columns: 40, rows: 8 })
  await terminal.shows(/2 tunnels/)
  let seed = 20_261_122
  for (let count = 0; count < 300; count += 1) {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff
    terminal.type(all[(seed >> 8) % all.length] as string)
  }
  terminal.type(Keys.interrupt)
  t.equal(await terminal.exit, 1)
  t.match(terminal.screen(), /error: cancelled$/)
  t.notMatch(terminal.shown(), /internal error|\n {4}at /)
  t.strictSame(await terminal.leftovers(), [])
})

t.test('stopped and continued: the question can be answered', { skip }, async (t) => {
  const { terminal } = await managing(t, [{ ...ONE }])
  await terminal.sees(/Ctrl-C: quit/)
  await terminal.kill('SIGSTOP')
  await terminal.kill('SIGCONT')
  terminal.type('r')
  await terminal.sees(/refresh[\s\S]*1 tunnel at[\s\S]*Ctrl-C: quit/)
  terminal.type('q')
  t.equal(await terminal.exit, 0)
})

t.test('names of strangers cannot steer the terminal', { skip }, async (t) => {
  const { panel, terminal } = await managing(t, [{ ...ONE, status: 'open\u202e evil' }])
  await terminal.sees(/1 tunnel/)
  t.notOk(terminal.raw().includes('\u202e'))
  terminal.type('q')
  await terminal.exit
  t.ok(panel)
})

t.test('NO_COLOR: no colours; TERM=dumb: the table', { skip }, async (t) => {
  const plain = await managing(t, [{ ...ONE }], { env: { NO_COLOR: '1' } })
  await plain.terminal.sees(/Ctrl-C: quit/)
  plain.terminal.type('q')
  t.equal(await plain.terminal.exit, 0)
  t.notMatch(plain.terminal.raw(), COLOURS)
  const dumb = await managing(t, [{ ...ONE }], { env: { TERM: 'dumb' } })
  t.equal(await dumb.terminal.exit, 0)
  t.match(dumb.terminal.shown(), /^ID .*RELAY[^\n]*\n12 /)
  t.notOk(dumb.terminal.raw().includes('\u001b'))
})
