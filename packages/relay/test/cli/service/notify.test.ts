import { spawn, spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { createNotifier, type NotifierOptions } from '../../../dist/cli/service/notify.js'
import { until } from '../../support.js'
import { missingTool } from './missing-tool.js'

/** A `systemd-notify` of our own that writes down what it is given. `body` comes after that. */
async function fakeCommand(t: Test, body = ''): Promise<{ command: string; messages(): string[][] }> {
  const path = await mkdtemp(join(tmpdir(), 'sallyport-notify-'))
  t.teardown(() => rm(path, { recursive: true, force: true }))
  const command = join(path, 'notify')
  const log = join(path, 'log')
  const script = `#!/bin/sh\n(for one; do echo "$one"; done; env | grep -c SALLYPORT_TOKEN; echo .) >> '${log}'\n${body}\n`
  await writeFile(command, script)
  await chmod(command, 0o755)
  const messages = () => {
    const text = existsSync(log) ? readFileSync(log, 'utf8') : ''
    return text
      .split('\n.\n')
      .slice(0, -1)
      .map((one) => one.split('\n'))
      .map((one) => {
        t.equal(one.pop(), '0', 'no token in its environment')
        return one
      })
  }
  return { command, messages }
}

const ENV = { NOTIFY_SOCKET: '/run/none', PATH: process.env['PATH'], SALLYPORT_TOKEN: 'a.secret.token' }

function notifier(t: Test, options: NotifierOptions, env: Record<string, string | undefined> = {}) {
  const created = createNotifier({ ...ENV, ...env }, options)
  t.teardown(() => created.close())
  return created
}

t.test('without NOTIFY_SOCKET nothing is run', async (t) => {
  const { command, messages } = await fakeCommand(t)
  const notify = createNotifier({ PATH: ENV.PATH, WATCHDOG_USEC: '1000' }, { command })
  t.equal(notify.active, false)
  notify.ready('well')
  notify.mainPid(1)
  notify.watchdog(() => true)()
  await notify.close()
  t.strictSame(messages(), [])
})

t.test('what is said at once is one message, phases come in order, the newest status wins', async (t) => {
  const { command, messages } = await fakeCommand(t)
  const notify = notifier(t, { command })
  t.equal(notify.active, true)
  notify.ready('first\nsecond')
  for (const text of ['a', 'b', 'c']) notify.status(text)
  await until(() => messages().length === 1, 'the first message')
  notify.reloading()
  notify.mainPid(77)
  notify.ready('handed over')
  notify.stopping()
  await notify.close()
  const [first, reload, ready, stopping, ...more] = messages()
  t.strictSame(first, ['READY=1', 'STATUS=c'])
  t.match(reload, ['MAINPID=77', 'RELOADING=1', /^MONOTONIC_USEC=\d+$/, 'STATUS=handed over'])
  t.strictSame(ready, ['READY=1'])
  t.strictSame(stopping, ['STOPPING=1'])
  t.strictSame(more, [])
})

t.test('a status is one line, is not repeated, and waits its turn', async (t) => {
  const { command, messages } = await fakeCommand(t)
  const notify = notifier(t, { command, statusGapMs: 60_000 })
  notify.status('one\r\n\u001b[2Jline')
  await until(() => messages().length === 1, 'the first status')
  notify.status('one\r\n\u001b[2Jline')
  notify.status('held back')
  notify.status('newest')
  notify.ready()
  await until(() => messages().length === 2, 'the phase takes the status along')
  t.strictSame(messages(), [['STATUS=one [2Jline'], ['READY=1', 'STATUS=newest']])
  notify.status('last')
  await notify.close()
  t.strictSame(messages().at(-1), ['STATUS=last'], 'close sends what is left')
  notify.ready('too late')
  await notify.close()
  t.equal(messages().length, 3)
})

t.test('one run at a time, however much is said', async (t) => {
  const { command, messages } = await fakeCommand(
    t,
    'mkdir "$0.lock" || echo overlap >> "$0.bad"\nsleep 0.2\nrmdir "$0.lock"',
  )
  const notify = notifier(t, { command, statusGapMs: 0 })
  for (let index = 0; index < 50; index += 1) {
    notify.status(`status ${index}`)
    await new Promise((resolve) => setImmediate(resolve))
  }
  await notify.close()
  const all = messages()
  t.ok(all.length <= 5, `${all.length} runs`)
  t.strictSame(all.at(-1), ['STATUS=status 49'])
  t.notOk(existsSync(`${command}.bad`), 'no two at once')
})

t.test('the watchdog is fed while the service is well', async (t) => {
  const { command, messages } = await fakeCommand(t)
  const problems: string[] = []
  const notify = notifier(t, { command, onProblem: (detail) => problems.push(detail) }, { WATCHDOG_USEC: '300000' })
  let well = true
  const stop = notify.watchdog(() => well)
  await until(() => messages().length >= 3, 'signs of life')
  well = false
  await until(() => problems.length > 0, 'the problem is said')
  t.match(problems, [/no sign of life/])
  stop()
  await notify.close()
  t.ok(messages().every(([line]) => line === 'WATCHDOG=1'))
  t.equal(problems.length, 1)
})

t.test('no WatchdogSec= in the unit: no signs of life', async (t) => {
  const { command, messages } = await fakeCommand(t)
  for (const WATCHDOG_USEC of [undefined, '', '0', 'soon', '-1']) {
    const notify = notifier(t, { command }, { WATCHDOG_USEC })
    notify.watchdog(() => true)
    await notify.close()
  }
  t.strictSame(messages(), [])
})

t.test('a run that fails is tried again, with what is newer', async (t) => {
  const { command, messages } = await fakeCommand(t, '[ -e "$0.once" ] || { touch "$0.once"; exit 1; }')
  const problems: string[] = []
  const notify = notifier(t, { command, retryMs: 10, onProblem: (detail) => problems.push(detail) })
  notify.ready('old')
  notify.mainPid(5)
  await until(() => messages().length === 1, 'the first run')
  notify.status('new')
  await until(() => messages().length === 2, 'the second run')
  await notify.close()
  t.strictSame(messages()[1], ['MAINPID=5', 'READY=1', 'STATUS=new'])
  t.match(problems, [/failed \(exit code 1\)/])
})

t.test('whatever is said meanwhile, a failed run is tried again in time', async (t) => {
  const { command, messages } = await fakeCommand(t, '[ -e "$0.once" ] || { touch "$0.once"; exit 1; }')
  const notify = notifier(t, { command, retryMs: 100 })
  notify.ready()
  const talk = setInterval(() => notify.status(`status ${performance.now()}`), 10)
  t.teardown(() => clearInterval(talk))
  await until(() => messages().length >= 2, 'the second run')
  t.equal(messages()[1]?.[0], 'READY=1')
})

t.test('a command that cannot even be tried is a failed run, and no exception', async (t) => {
  const problems: string[] = []
  const notify = notifier(t, { command: '\0', retryMs: 1, onProblem: (detail) => problems.push(detail) })
  notify.ready()
  await until(() => problems.length > 0, 'the problem')
  await notify.close()
  t.match(problems, [/failed \(ERR_INVALID_ARG_VALUE\)/])
})

t.test('a run that is ended with the whole service is no trouble, and not waited for', async (t) => {
  const { command, messages } = await fakeCommand(t, 'kill -TERM $$')
  const problems: string[] = []
  const notify = notifier(t, { command, retryMs: 60_000, onProblem: (detail) => problems.push(detail) })
  notify.stopping()
  await notify.close()
  t.strictSame(messages(), [['STOPPING=1']])
  t.strictSame(problems, [])
})

t.test('a run that hangs is killed; the service goes on', async (t) => {
  const { command } = await fakeCommand(t, 'exec sleep 60')
  const problems: string[] = []
  const notify = notifier(t, { command, timeoutMs: 100, retryMs: 10, onProblem: (detail) => problems.push(detail) })
  notify.ready()
  await until(() => problems.length > 0, 'the problem')
  t.match(problems, [/no end in time/])
  await notify.close()
})

t.test('no systemd-notify: said once, then quiet', async (t) => {
  const problems: string[] = []
  const notify = notifier(t, { command: '/nowhere/systemd-notify', onProblem: (detail) => problems.push(detail) })
  notify.ready()
  await notify.close()
  notify.status('more')
  await notify.close()
  t.match(problems, [/cannot be run \(ENOENT\)/])
  t.equal(problems.length, 1)
})

const skip = missingTool('systemd-notify') ?? missingTool('perl') ?? false
t.test('the real systemd-notify says it to a real socket', { skip }, async (t) => {
  const path = await mkdtemp(join(tmpdir(), 'sallyport-notify-'))
  t.teardown(() => rm(path, { recursive: true, force: true }))
  const socket = join(path, 'notify.sock')
  const listen = `use Socket; socket(S, AF_UNIX, SOCK_DGRAM, 0); bind(S, sockaddr_un($ARGV[0])); $| = 1; print "bound\\n";
    while (defined recv(S, my $m, 65536, 0)) { print "$m\\n.\\n" }`
  const listener = spawn('perl', ['-e', listen, socket], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => void listener.kill())
  let heard = ''
  listener.stdout.setEncoding('utf8').on('data', (text) => {
    heard += text
  })
  await until(() => heard.startsWith('bound'), 'the listener')
  const notify = notifier(t, {}, { NOTIFY_SOCKET: socket })
  notify.mainPid(process.pid)
  notify.ready('serving 3 tunnels')
  await notify.close()
  const words = `MAINPID=${process.pid}\nREADY=1\nSTATUS=serving 3 tunnels`
  await until(() => heard.includes(words), 'the message')
  t.equal(spawnSync('systemd-notify', ['--version']).status, 0)
})
