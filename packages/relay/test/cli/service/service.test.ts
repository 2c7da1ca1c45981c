import { existsSync, readFileSync, statSync } from 'node:fs'
import { chmod, copyFile, mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { chooseScope, requireLinux, requireRights } from '../../../dist/cli/service/choose-scope.js'
import { findBundle, findNode } from '../../../dist/cli/service/program-file.js'
import { createHome, type Home, MAIN } from '../command.js'
import { createFakeSystemctl, type FakeSystemctl } from './fake-systemctl.js'

const TOKEN = 'header.payload.signature-of-a-token'
const AGENT = { panel: 'https://panel.example.com', token: TOKEN, name: 'box', kind: 'client' }
const RELAY = { ...AGENT, kind: 'server' }

interface Machine extends Home {
  systemctl: FakeSystemctl
  service(...args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }>
  unit(part?: string): string
}

/** A user's home and a service manager that only pretends. The one-file program is beside the built command. */
async function machine(t: Test, version?: number): Promise<Machine> {
  const home = await createHome(t)
  const systemctl = await createFakeSystemctl(home.path, version)
  return {
    ...home,
    systemctl,
    async service(verb = '', ...args) {
      const env = {
        PATH: `${systemctl.folder}:${process.env['PATH']}`,
        SALLYPORT_TOKEN: 'another.token.of-the-environment',
      }
      const command = home.start(['service', verb, '--user', '--config', home.config, ...args], env)
      const code = await command.exit
      t.notMatch(command.stdout() + command.stderr(), TOKEN, 'no token is shown')
      return { code, stdout: command.stdout(), stderr: command.stderr() }
    },
    unit: (part = 'agent') => join(home.path, '.config', 'systemd', 'user', `sallyport-${part}.service`),
  }
}

t.test('an agent: installed, started, installed again, uninstalled', async (t) => {
  const box = await machine(t)
  await box.enrol(AGENT)
  const first = await box.service('install', '--', '--local-port', '25565', '--allow', '127.0.0.1:25565')
  t.equal(first.code, 0, first.stderr)
  t.match(first.stdout, /sallyport-agent is installed/)
  t.strictSame(box.systemctl.calls(), [
    'daemon-reload',
    'enable sallyport-agent.service',
    'start sallyport-agent.service',
  ])
  const text = readFileSync(box.unit(), 'utf8')
  t.match(text, `run --config ${box.config} --local-port 25565 --allow 127.0.0.1:25565\n`)
  t.notMatch(text, TOKEN)
  t.equal(statSync(box.unit()).mode & 0o777, 0o644)
  const folder = join(box.path, '.local', 'share', 'sallyport')
  t.strictSame(await readdir(folder), ['sallyport-agent.mjs'])

  const again = await box.service('install')
  t.equal(again.code, 0, again.stderr)
  t.equal(readFileSync(box.unit(), 'utf8'), text, 'arguments are kept')
  t.match(again.stdout, /^nothing is new: it goes on as it is$/m)
  const restarts = () => box.systemctl.calls().filter((call) => call === 'restart sallyport-agent.service').length
  t.equal(restarts(), 0, 'nobody is cut for nothing')
  await box.service('install', '--', '--local-port', '25566')
  t.equal(restarts(), 1)
  await box.systemctl.shows('ActiveState=active\nExecMainStartTimestamp=Mon 2024-01-01 00:00:00 UTC')
  await box.service('install')
  t.equal(restarts(), 2, 'an install that was broken off is brought to its end')

  const gone = await box.service('uninstall')
  t.equal(gone.code, 0, gone.stderr)
  t.ok(box.systemctl.calls().includes('disable --now sallyport-agent.service'))
  t.notOk(existsSync(box.unit()))
  t.notOk(existsSync(folder))
  t.match(await box.read(), TOKEN, 'the token is kept')
  t.match(gone.stderr, `the token stays in ${box.config}`)

  const nothing = await box.service('uninstall')
  t.equal(nothing.code, 1)
  t.match(nothing.stderr, /there is no service/)
})

t.test('a relay that runs hands over to the new version', async (t) => {
  const box = await machine(t)
  await box.enrol(RELAY)
  t.equal((await box.service('install', '--', '--data-port', '0', '--drain', '600')).code, 0)
  t.match(readFileSync(box.unit('relay'), 'utf8'), /^TimeoutStopSec=615$/m)
  const again = await box.service('install')
  t.equal(again.code, 0, again.stderr)
  t.match(again.stdout, /the new version serves/)
  t.notMatch(again.stderr, /restart/)
  const changed = await box.service('install', '--', '--data-port', '7351')
  t.match(changed.stderr, /new arguments are in force after 'systemctl --user restart sallyport-relay'/)
  t.ok(
    box.systemctl.calls().every((call) => !call.startsWith('restart')),
    'no player is cut',
  )
})

t.test('--dry-run prints the unit and does nothing', async (t) => {
  const box = await machine(t)
  await box.enrol(AGENT)
  const { code, stdout, stderr } = await box.service('install', '--dry-run')
  t.equal(code, 0, stderr)
  t.match(stdout, /^\[Service\]$/m)
  t.strictSame(box.systemctl.calls(), [])
  t.notOk(existsSync(box.unit()))
  const json = await box.service('install', '--dry-run', '--json')
  t.match(JSON.parse(json.stdout), { unit: /ExecStart=/, path: box.unit(), config: box.config })
})

t.test('arguments are judged before anything is installed', async (t) => {
  const box = await machine(t)
  await box.enrol(AGENT)
  const wrong: [string[], RegExp][] = [
    [['--local-port', '0'], /port from 1 to 65535/],
    [['--port', '5'], /option '--port' is for '--local-port', which is missing/],
    [['--bind-host', '0.0.0.0'], /'sallyport run' has no argument --bind-host/],
    [['--config', 'x'], /--config is the service's own/],
    [['--state=x'], /--state is the service's own/],
    [['stray'], /has no argument stray/],
    [['--local-host', 'a\nb'], /control characters|host name/],
  ]
  for (const [args, words] of wrong) {
    const { code, stderr } = await box.service('install', '--', ...args)
    t.equal(code, 2, args.join(' '))
    t.match(stderr, words)
  }
  t.strictSame(box.systemctl.calls(), [])
  t.equal((await box.service('install', '--dry-run', '--', '--json', '--verbose')).code, 0)
})

t.test('paths of a certificate are made absolute', async (t) => {
  const box = await machine(t)
  await box.enrol(RELAY)
  const { stdout } = await box.service('install', '--dry-run', '--', '--certificate', 'a.pem', '--private-key=b.pem')
  t.match(stdout, `--certificate ${process.cwd()}/a.pem --private-key ${process.cwd()}/b.pem`)
  const half = await box.service('install', '--dry-run', '--', '--certificate', 'a.pem')
  t.equal(half.code, 2)
  t.match(half.stderr, /go together/)
})

t.test('a service that does not run is a failure in words', async (t) => {
  const box = await machine(t)
  await box.enrol(AGENT)
  const effect = (status: number) =>
    `printf 'ActiveState=failed\\nResult=exit-code\\nExecMainStatus=${status}\\n' > "$here/shown"`
  await box.systemctl.refuses('start', 'Job failed.', effect(3))
  const refused = await box.service('install')
  t.equal(refused.code, 3)
  t.match(
    refused.stderr,
    /does not run \(not enrolled, or the panel refuses the token.*journalctl --user -u sallyport-agent/,
  )
  await box.systemctl.refuses('start', 'Job failed.', effect(1))
  const failed = await box.service('install')
  t.equal(failed.code, 1)
  t.match(failed.stderr, /does not run \(exit-code, exit code 1\)/)
})

t.test('a relay that is refused only after its start is noticed', async (t) => {
  const box = await machine(t)
  await box.enrol(RELAY)
  const fail = `printf 'ActiveState=failed\\nResult=exit-code\\nExecMainStatus=3\\n' > "$here/shown"; exit 0`
  await box.systemctl.refuses('start', '', fail)
  const { code, stderr } = await box.service('install')
  t.equal(code, 3)
  t.match(stderr, /refuses the token/)
})

t.test('systemctl refuses, is too old, or is not there', async (t) => {
  const box = await machine(t)
  await box.enrol(AGENT)
  await box.systemctl.refuses('enable', 'Failed to enable unit: Access denied')
  const denied = await box.service('install')
  t.equal(denied.code, 1)
  t.match(denied.stderr, /systemctl enable sallyport-agent\.service failed: Failed to enable unit: Access denied/)

  const old = await machine(t, 239)
  await old.enrol(AGENT)
  const { code, stderr } = await old.service('install')
  t.equal(code, 1)
  t.match(stderr, /systemd 239; the unit needs 247/)
  t.notOk(existsSync(old.unit()))

  const home = await createHome(t)
  await home.enrol(AGENT)
  const none = home.start(['service', 'install', '--user', '--config', home.config], { PATH: home.path })
  t.equal(await none.exit, 1)
  t.match(none.stderr(), /no systemctl here/)
})

t.test('not enrolled, and a kind that is not the enrolment’s', async (t) => {
  const box = await machine(t)
  const none = await box.service('install')
  t.equal(none.code, 3)
  t.match(none.stderr, /not enrolled .*sallyport enroll --panel URL/)
  await box.enrol(AGENT)
  const other = await box.service('install', '--kind', 'server')
  t.equal(other.code, 2)
  t.match(other.stderr, /enrolled with --kind client/)
  const { kind: _, ...old } = RELAY
  await box.enrol(old)
  t.match((await box.service('install', '--kind', 'server', '--dry-run')).stdout, /Sallyport relay/)
  const scopes = await box.service('install', '--system')
  t.equal(scopes.code, 2)
  t.match(scopes.stderr, /exclude each other/)
})

t.test('of two services --kind or the configuration says which is meant', async (t) => {
  const box = await machine(t)
  await box.enrol(AGENT)
  await box.service('install')
  await box.enrol(RELAY)
  await box.service('install')
  const { code, stdout } = await box.service('uninstall')
  t.equal(code, 0)
  t.match(stdout, /sallyport-relay is stopped and removed/)
  t.ok(existsSync(box.unit()))
  t.equal((await box.service('uninstall', '--kind', 'client')).code, 0)
  t.notOk(existsSync(box.unit()))
})

t.test('elsewhere than on Linux: one line that says what to use', async (t) => {
  t.throws(() => requireLinux('darwin'), { code: 'no_systemd', message: /launchd/ })
  t.throws(() => requireLinux('win32'), { code: 'no_systemd', message: /Task Scheduler/ })
  t.throws(() => requireLinux('freebsd'), { code: 'no_systemd' })
  t.doesNotThrow(() => requireLinux('linux'))
  t.equal(chooseScope({ user: true }), 'user')
  t.equal(chooseScope({ system: true }), 'system')
  t.equal(chooseScope({}), process.getuid?.() === 0 ? 'system' : 'user')
  t.doesNotThrow(() => requireRights('user'))
})

t.test('a Node.js that a system service could not run is refused', async (t) => {
  const home = await createHome(t)
  const folder = join(home.path, 'with space')
  await mkdir(folder)
  const node = join(home.path, 'node')
  await writeFile(node, '')
  await chmod(node, 0o755)
  await copyFile(node, join(folder, 'node'))
  await t.rejects(findNode({ scope: 'system' }, node), { code: 'node_unusable', message: /give --user/ })
  await t.rejects(findNode({ scope: 'user' }, join(folder, 'node')), { code: 'node_unusable' })
  t.equal(await findNode({ scope: 'user' }, node), node)
  t.equal(await findNode({ scope: 'system' }, '/bin/sh'), await findNode({ scope: 'user' }, '/bin/sh'))
})

t.test('the one-file program is found beside the command, or its absence is said', async (t) => {
  t.match(await findBundle(MAIN), /dist\/sallyport\.mjs$/)
  const home = await createHome(t)
  const alone = join(home.path, 'main.js')
  await writeFile(alone, '')
  await t.rejects(findBundle(alone), { code: 'bundle_missing', message: /build:all/ })
  await t.rejects(findBundle(undefined), { code: 'bundle_missing' })
})
