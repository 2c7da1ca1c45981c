import t from 'tap'
import { createHome } from './command.js'
import { startOnTerminal, terminalMissing } from './pseudo-terminal.js'
import { COLOURS } from './screen.js'

const COMMANDS = [
  ['enroll'],
  ['run'],
  ['open'],
  ['allocations'],
  ['relay'],
  ['service', 'install'],
  ['service', 'uninstall'],
]

for (const names of COMMANDS) {
  t.test(`${names.join(' ')} --help has examples and the common options, in 80 columns`, async (t) => {
    const home = await createHome(t)
    const command = home.start([...names, '--help'])
    t.equal(await command.exit, 0)
    t.match(command.stdout(), /Examples:\n {2}\$ /)
    for (const option of ['--config', '--json', '--verbose', '--help']) t.ok(command.stdout().includes(option), option)
    t.equal(command.stderr(), '')
    t.notMatch(command.stdout(), COLOURS)
    for (const line of command.stdout().split('\n')) t.ok(line.length <= 80, line)
    t.notMatch(command.stdout().replaceAll(/\n +/g, ' '), /default: ["']|choices:/, 'defaults are without quotes')
  })
}

t.test('every example is a command line that is understood', async (t) => {
  const home = await createHome(t)
  for (const names of COMMANDS) {
    const help = home.start([...names, '--help'])
    await help.exit
    const joined = help.stdout().replaceAll(/ \\\n +/g, ' ')
    const examples = [...joined.matchAll(/^ {2}\$ (?:\w+=\S+ )?(?:sudo )?sallyport ([^|\n]*)/gm)].map(([, args = '']) =>
      args.trim(),
    )
    t.ok(examples.length > 0)
    for (const example of examples) {
      // `--help` ends it before anything is done, and after options were read.
      const command = home.start([
        ...(example
          .split(/\s+(?:--(?= )|$)/)[0]
          ?.split(/\s+/)
          .filter(Boolean) ?? []),
        '--help',
      ])
      t.equal(await command.exit, 0, example)
    }
  }
})

t.test('--version and --help of the whole exit 0; help COMMAND is COMMAND --help', async (t) => {
  const home = await createHome(t)
  const version = home.start(['--version'])
  t.equal(await version.exit, 0)
  t.match(version.stdout(), /^\d+\.\d+\.\d+\n$/)
  const help = home.start(['--help'])
  t.equal(await help.exit, 0)
  for (const text of ['enroll', 'run', 'open', 'allocations', 'relay', 'service', 'Exit codes']) {
    t.ok(help.stdout().includes(text), text)
  }
  for (const name of ['PANEL', 'TOKEN', 'API_KEY']) t.ok(help.stdout().includes(`SALLYPORT_${name}`), name)
  for (const line of help.stdout().split('\n')) t.ok(line.length <= 80, line)
  const [short, long, word] = [
    ['run', '-h'],
    ['run', '--help'],
    ['help', 'run', '--'],
  ].map((args) => home.start(args))
  t.equal(await word?.exit, 0)
  await Promise.all([short?.exit, long?.exit])
  t.equal(short?.stdout(), long?.stdout())
  t.equal(word?.stdout(), long?.stdout())
})

t.test('on a terminal help has colours and its width, unless NO_COLOR is set', { skip: terminalMissing }, async (t) => {
  const home = await createHome(t)
  const coloured = startOnTerminal(t, home, ['run', '--help'], { columns: 72, rows: 80 })
  t.equal(await coloured.exit, 0)
  t.ok(coloured.raw().includes('\u001b[1mOptions:'))
  t.ok(coloured.raw().includes('\u001b[1mExamples:'))
  t.strictSame(await coloured.leftovers(), [])
  const [options = ''] = coloured.shown().split('Examples:')
  for (const line of options.split(/\r?\n/)) t.ok(line.length <= 72, line)
  const plain = startOnTerminal(t, home, ['run', '--help'], { columns: 72, rows: 80, env: { NO_COLOR: '1' } })
  t.equal(await plain.exit, 0)
  t.notMatch(plain.raw(), COLOURS)
  t.equal(plain.shown(), coloured.shown())
})
