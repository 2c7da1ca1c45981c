import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { createHome } from './command.js'
import { Keys, startOnTerminal, terminalMissing } from './pseudo-terminal.js'
import { createScreen } from './screen.js'

const PROGRAM = `
const { stdin, stdout } = process
stdout.on('resize', () => stdout.write(\`now \${stdout.columns}x\${stdout.rows}\\n\`))
process.on('SIGINT', () => { stdout.write('interrupted\\n'); process.exit(7) })
process.on('SIGUSR1', () => { stdin.setRawMode(true); stdout.write('\\u001b[?25lraw\\n') })
stdin.on('data', (keys) => {
  if (String(keys).includes('q')) { process.exit(3) }
  stdout.write(\`got \${JSON.stringify(String(keys))}\\n\`)
})
// Only now: a signal that comes before its handler does something else.
stdout.write(\`size \${stdout.columns}x\${stdout.rows} tty \${stdin.isTTY === true} \\u001b[31mred\\u001b[39m ready\\n\`)
`

t.test(
  'a program on a pseudo-terminal: keys, size, signals, exit code, what it leaves',
  { skip: terminalMissing },
  async (t) => {
    const home = await createHome(t)
    const file = join(home.path, "it's.mjs")
    await writeFile(file, PROGRAM)
    const one = startOnTerminal(t, home, [], { main: [file], columns: 71, rows: 17 })
    await one.sees(/size 71x17 tty true red ready/)
    one.type(`abc${Keys.enter}`)
    await one.sees(/got "abc\\n"/)
    await one.resize(50, 10)
    await one.sees(/now 50x10/)
    one.type(Keys.interrupt)
    await one.sees(/interrupted/)
    t.equal(await one.exit, 7)
    t.strictSame(await one.leftovers(), [])

    const two = startOnTerminal(t, home, [], { main: [file] })
    await two.sees(/size 100x30/)
    await two.kill('SIGUSR1')
    await two.sees(/raw/)
    two.type(Keys.down)
    await two.sees(/got "\\u001b\[B"/)
    two.type('q')
    t.equal(await two.exit, 3)
    t.match(await two.leftovers(), ['the cursor is hidden'])

    const three = startOnTerminal(t, home, [], { main: [file] })
    await three.sees(/ready/)
    await t.rejects(Promise.all([three.sees(/ready/), three.kill('SIGKILL')]), /not on the terminal/)
    t.equal(await three.exit, 128 + 9)
  },
)

t.test('the screen is what is seen after redraws', (t) => {
  const screen = createScreen(10, 3)
  screen.write('one\r\ntwo\r\nthree\r\nfour')
  t.strictSame(screen.lines(), ['two', 'three', 'four'])
  screen.write('\r\u001b[1A\u001b[2KTHREE\u001b[31m!\u001b[0m')
  t.strictSame(screen.lines(), ['two', 'THREE!', 'four'])
  screen.write('\u001b[999D\u001b[1A\u001b[J')
  t.strictSame(screen.lines(), [])
  screen.write('0123456789ab\u001b]52;c;eA==\u0007')
  t.strictSame(screen.lines(), ['0123456789', 'ab'])
  t.end()
})
