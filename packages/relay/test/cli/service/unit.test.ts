import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { type ServiceKind, type ServiceScope, servicePlaces } from '../../../dist/cli/service/places.js'
import { type UnitOptions, unitArguments, unitText } from '../../../dist/cli/service/unit.js'
import { unitWord } from '../../../dist/cli/service/unit-word.js'
import { missingTool } from './missing-tool.js'

function unit(scope: ServiceScope, kind: ServiceKind, more: Partial<UnitOptions> = {}): string {
  const places = servicePlaces(scope, kind, { env: {}, home: '/home/someone' })
  const userConfig = '/home/someone/.config/sallyport/agent.json'
  // Any program that is there will do.
  return unitText({
    places,
    node: '/bin/sh',
    userConfig,
    given: [],
    args: [],
    stopSeconds: 15,
    lowPorts: false,
    ...more,
  })
}

const ARGS = ['--public-host', 'play.example.com', '--host-group', 'a "b" \\ 100% $HOME \'c\'']
const CERTIFICATE = { certificate: '/etc/a b/cert.pem', privateKey: '/etc/key.pem' }
const UNITS: [string, ServiceScope, ServiceKind, Partial<UnitOptions>][] = [
  ['the agent of the machine', 'system', 'client', { args: ['--local-port', '25565'] }],
  ['the relay of the machine', 'system', 'server', { args: ARGS }],
  [
    'a relay with low ports and a certificate',
    'system',
    'server',
    { args: ARGS, lowPorts: true, certificate: CERTIFICATE },
  ],
  ['the agent of a user', 'user', 'client', { args: ['--local-port', '25565'] }],
  ['the relay of a user', 'user', 'server', { args: ARGS }],
]

async function save(t: Test, text: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-unit-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const path = join(folder, 'sallyport-test.service')
  await writeFile(path, text)
  return path
}

const skip = missingTool('systemd-analyze') ?? false

for (const [name, scope, kind, more] of UNITS) {
  t.test(`${name}: systemd has nothing to say against the unit`, { skip }, async (t) => {
    const path = await save(t, unit(scope, kind, more))
    const env = { PATH: process.env['PATH'], XDG_RUNTIME_DIR: tmpdir(), HOME: tmpdir() }
    const { status, stdout, stderr } = spawnSync('systemd-analyze', [`--${scope}`, 'verify', path], { env })
    t.equal(`${stdout}${stderr}`, '')
    t.equal(status, 0)
  })
  if (scope === 'user') continue
  t.test(`${name}: exposure below 3`, { skip }, async (t) => {
    const path = await save(t, unit(scope, kind, more))
    const options = ['security', '--offline=true', '--no-pager', '--threshold=29', path]
    const text = execFileSync('systemd-analyze', options, { encoding: 'utf8' })
    const [, level] = /exposure level for .*: (\d+\.\d)/.exec(text) ?? []
    t.ok(Number(level) < 3, `${level}`)
  })
}

t.test('what keeps it running, and what ends it', async (t) => {
  for (const [, scope, kind, more] of UNITS) {
    const text = unit(scope, kind, { ...more, stopSeconds: 615 })
    t.match(text, /^Type=notify$/m)
    t.match(text, /^NotifyAccess=all$/m)
    t.match(text, /^Restart=always$/m)
    t.match(text, /^StartLimitIntervalSec=0$/m)
    t.match(text, /^RestartPreventExitStatus=2 3$/m)
    t.match(text, /^WatchdogSec=\d+$/m)
    t.match(text, /^TimeoutStopSec=615$/m)
    t.equal(/^ExecReload=.*kill -HUP \$MAINPID$/m.test(text), kind === 'server')
    t.equal(/^ExecStop=-.*kill -TERM /m.test(text), kind === 'server')
    t.notMatch(text, /MemoryDenyWriteExecute/, 'V8 makes code as it goes')
  }
})

t.test('the enrolment comes as a credential; a user has it already', async (t) => {
  const agent = unit('system', 'client')
  t.match(agent, /^LoadCredential=enrolment\.json:\/etc\/sallyport\/agent\.json$/m)
  t.match(agent, / run --config \$\{CREDENTIALS_DIRECTORY\}\/enrolment\.json$/m)
  t.match(unit('system', 'server'), / --state \$\{STATE_DIRECTORY\}\/relay\.state$/m)
  const user = unit('user', 'client')
  t.match(user, / run --config \/home\/someone\/\.config\/sallyport\/agent\.json$/m)
  t.notMatch(user, /DynamicUser|LoadCredential|ProtectSystem/)
  t.match(user, /^WantedBy=default\.target$/m)
})

t.test('low ports are a right that only who wants them has', async (t) => {
  t.match(unit('system', 'server', { lowPorts: true }), /^AmbientCapabilities=CAP_NET_BIND_SERVICE$/m)
  t.match(unit('system', 'server'), /^CapabilityBoundingSet=$/m)
})

t.test('a word means itself', async (t) => {
  t.equal(unitWord('--local-port'), '--local-port')
  t.equal(unitWord('100%'), '100%%')
  t.equal(unitWord('$HOME'), '$$HOME')
  t.equal(unitWord('a b'), '"a b"')
  t.equal(unitWord('a"\\b'), '"a\\"\\\\b"')
  t.equal(unitWord("it's"), '"it\'s"')
  t.equal(unitWord(''), '""')
  t.equal(unitWord(';'), '";"')
  t.throws(() => unitWord('a\nExecStart=/bin/sh'), RangeError)
})

t.test('arguments are found again in a unit of ours', async (t) => {
  t.strictSame(unitArguments(unit('system', 'server', { given: ARGS })), ARGS)
  t.strictSame(unitArguments(unit('user', 'client')), [])
  t.equal(unitArguments('[Service]\nExecStart=/bin/true\n'), undefined)
  t.equal(unitArguments('# arguments: [1]\n'), undefined)
  t.equal(unitArguments('# arguments: nonsense\n'), undefined)
})
