import t from 'tap'
import { createHome, lines } from './command.js'

const wrong: [string, string[], RegExp][] = [
  ['no command', [], /Usage/],
  ['an unknown command', ['frobnicate'], /unknown command 'frobnicate'\n\(see 'sallyport --help'\)/],
  ['a command with a slip', ['alocations'], /unknown command[\s\S]*Did you mean allocations\?/],
  ['an unknown option', ['run', '--frobnicate'], /unknown option[\s\S]*see 'sallyport run --help'/],
  ['an option with a slip', ['run', '--local-prot', '1'], /unknown option[\s\S]*Did you mean --local-port\?/],
  ['an option without its value', ['run', '--local-port'], /argument missing/],
  ['a token as an argument', ['run', '--token', 'x'], /unknown option/],
  ['an API key as an argument', ['enroll', '--panel', 'http://localhost', '--api-key', 'x'], /unknown option/],
  ['excess arguments', ['allocations', 'all'], /too many arguments/],
  ['a port of nonsense', ['run', '--local-port', '25565x'], /port from 1 to 65535/],
  ['port zero', ['open', '--local-port', '0'], /port from 1 to 65535/],
  ['a port too high', ['open', '--local-port', '65536'], /port from 1 to 65535/],
  ['a public port of nonsense', ['open', '--local-port', '1', '--port', '70000'], /port from 1 to 65535/],
  ['a region of nonsense', ['open', '--local-port', '1', '--region', 'eu west'], /such as eu-west/],
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
  ['a port range too wide', ['relay', '--port-range', '0-70000'], /1 to 65535.*20000-29999/],
  ['a capacity of nonsense', ['relay', '--capacity', 'many'], /number from 0/],
  ['a blank region', ['relay', '--region', ' '], /printable/],
  ['kind server without a key', ['enroll', '--panel', 'http://127.0.0.1:9', '--kind', 'server'], /SALLYPORT_API_KEY/],
]
for (const [name, args, words] of wrong) {
  t.test(`${name}: exit 2 and words`, async (t) => {
    const home = await createHome(t)
    await home.enrol({ panel: 'http://127.0.0.1:9', token: 'token-0123456789' })
    const command = home.start(args)
    t.equal(await command.exit, 2)
    t.match(command.stderr(), words)
    t.notMatch(command.stderr(), /hunter2|\n {4}at /)
    t.equal(command.stdout(), '')
  })
}

t.test('wrong usage with --json: one object, code and words, no help', async (t) => {
  const home = await createHome(t)
  for (const [args, words] of [
    [['open', '--json'], /--local-port/],
    [['--json', 'alocations'], /Did you mean allocations/],
    [['run', '--local-port', 'x', '--json'], /1 to 65535/],
  ] as const) {
    const command = home.start([...args])
    t.equal(await command.exit, 2)
    const [error, ...more] = lines(command.stderr())
    t.match(error, { level: 'error', event: 'error', error: 'usage', message: words })
    t.strictSame(more, [])
    t.equal(command.stdout(), '')
  }
})

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

t.test('wrong usage is said before a missing enrolment: exit 2', async (t) => {
  const home = await createHome(t)
  const command = home.start(['run', '--allow', 'nonsense'])
  t.equal(await command.exit, 2)
  t.match(command.stderr(), /HOST:PORT/)
})

t.test('a token from the environment needs a panel', async (t) => {
  const home = await createHome(t)
  const command = home.start(['run'], { SALLYPORT_TOKEN: 'secret-token-1234' })
  t.equal(await command.exit, 3)
  t.match(command.stderr(), /SALLYPORT_PANEL/)
  t.notMatch(command.stderr(), /secret-token/)
})
