import t from 'tap'
import { createHome, lines } from './command.js'

for (const name of ['enroll', 'run', 'open', 'allocations', 'relay']) {
  t.test(`${name} --help has examples and the common options`, async (t) => {
    const home = await createHome(t)
    const command = home.start([name, '--help'])
    t.equal(await command.exit, 0)
    t.match(command.stdout(), /Examples:\n {2}\$ /)
    for (const option of ['--config', '--json', '--verbose', '--help']) t.ok(command.stdout().includes(option), option)
    t.equal(command.stderr(), '')
  })
}

t.test('--version and --help of the whole exit 0', async (t) => {
  const home = await createHome(t)
  const version = home.start(['--version'])
  t.equal(await version.exit, 0)
  t.match(version.stdout(), /^\d+\.\d+\.\d+\n$/)
  const help = home.start(['--help'])
  t.equal(await help.exit, 0)
  for (const text of ['enroll', 'run', 'open', 'allocations', 'relay', 'SALLYPORT_TOKEN', 'Exit codes']) {
    t.ok(help.stdout().includes(text), text)
  }
})

const wrong: [string, string[], RegExp][] = [
  ['no command', [], /Usage/],
  ['an unknown command', ['frobnicate'], /unknown command/],
  ['an unknown option', ['run', '--frobnicate'], /unknown option/],
  ['a token as an argument', ['run', '--token', 'x'], /unknown option/],
  ['an API key as an argument', ['enroll', '--panel', 'http://localhost', '--api-key', 'x'], /unknown option/],
  ['excess arguments', ['allocations', 'all'], /too many arguments/],
  ['a port of nonsense', ['run', '--local-port', '25565x'], /port from 1 to 65535/],
  ['port zero', ['open', '--local-port', '0'], /port from 1 to 65535/],
  ['a port too high', ['open', '--local-port', '65536'], /port from 1 to 65535/],
  ['a protocol of nonsense', ['open', '--local-port', '1', '--protocol', 'sctp'], /Allowed choices/],
  ['a host with a port', ['open', '--local-port', '1', '--local-host', 'localhost:80'], /without a port/],
  ['open without a port', ['open'], /--local-port/],
  ['a protocol without a port', ['run', '--protocol', 'udp'], /--local-port/],
  ['a host without a port', ['run', '--local-host', 'localhost'], /--local-port/],
  ['an allow rule of nonsense', ['run', '--allow', 'nonsense'], /HOST:PORT/],
  [
    'a target that the rules forbid',
    ['run', '--local-port', '22', '--local-host', '10.0.0.1'],
    /--allow 10\.0\.0\.1:22/,
  ],
  [
    'a target outside narrowed rules',
    ['run', '--local-port', '22', '--allow', '127.0.0.1:80'],
    /--allow 127\.0\.0\.1:22/,
  ],
  ['enroll without a panel', ['enroll'], /--panel/],
  ['a panel that is no URL', ['enroll', '--panel', 'panel.example.com'], /must be a URL|http or https/],
  ['a panel with a password', ['enroll', '--panel', 'https://u:hunter2@host'], /password/],
  ['a blank name', ['enroll', '--panel', 'https://host', '--name', ' '], /printable/],
  ['a name that no panel takes', ['enroll', '--panel', 'https://host', '--name', 'x'.repeat(101)], /1 to 100/],
  ['a kind of nonsense', ['enroll', '--panel', 'https://host', '--kind', 'toaster'], /Allowed choices/],
  ['a bind host that is a name', ['relay', '--bind-host', 'play.example.com'], /IP address/],
  ['a data port of nonsense', ['relay', '--data-port', '70000'], /1 to 65535/],
  ['a public host with a port', ['relay', '--public-host', 'host:1'], /without a port/],
  ['a port range upside down', ['relay', '--port-range', '9-8'], /lower one first/],
  ['a port range of nonsense', ['relay', '--port-range', '1-2-3'], /lower one first/],
  ['a capacity of nonsense', ['relay', '--capacity', 'many'], /number from 0/],
  ['a blank region', ['relay', '--region', ' '], /printable/],
  ['kind server without a key', ['enroll', '--panel', 'http://127.0.0.1:9', '--kind', 'server'], /SALLYPORT_API_KEY/],
]
for (const [name, args, words] of wrong) {
  t.test(`${name}: exit 2 and words`, async (t) => {
    const home = await createHome(t)
    const command = home.start(args)
    t.equal(await command.exit, 2)
    t.match(command.stderr(), words)
    t.notMatch(command.stderr(), /hunter2|\n {4}at /)
    t.equal(command.stdout(), '')
  })
}

for (const args of [['run'], ['relay'], ['allocations'], ['open', '--local-port', '1']]) {
  t.test(`${args[0]} without an enrolment: exit 3, and how to get one`, async (t) => {
    const home = await createHome(t)
    const command = home.start(args)
    t.equal(await command.exit, 3)
    t.match(command.stderr(), /not enrolled.*sallyport enroll --panel URL/)
    const json = home.start([...args, '--json'])
    t.equal(await json.exit, 3)
    t.match(lines(json.stderr()).at(-1), { level: 'error', error: 'not_enrolled' })
  })
}

t.test('a token from the environment needs a panel', async (t) => {
  const home = await createHome(t)
  const command = home.start(['run'], { SALLYPORT_TOKEN: 'secret-token-1234' })
  t.equal(await command.exit, 3)
  t.match(command.stderr(), /SALLYPORT_PANEL/)
  t.notMatch(command.stderr(), /secret-token/)
})
