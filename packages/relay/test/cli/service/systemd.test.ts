import { execFileSync } from 'node:child_process'
import { appendFileSync, copyFileSync, mkdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { createFakePanel, type FakeConnection, type FakePanel } from '../../fake-panel.js'
import { bootSystemd, type Ended, eventually, type SystemdMachine, withoutSystemd } from './systemd-machine.js'

const BUNDLE = fileURLToPath(new URL('../../../dist/sallyport.mjs', import.meta.url))
const TOKEN = 'header.payload.signature-of-a-token'
const skip = withoutSystemd()

interface Box extends SystemdMachine {
  panel: FakePanel
  service(verb: 'install' | 'uninstall', ...args: string[]): Promise<Ended>
}

async function box(t: Test, kind: 'client' | 'server'): Promise<Box> {
  const panel = await createFakePanel()
  t.teardown(() => panel.close())
  const machine = await bootSystemd(t)
  const home = join(machine.root, 'tmp', 'home')
  mkdirSync(home)
  copyFileSync(BUNDLE, join(home, 'sallyport.mjs'))
  const config = { panel: panel.url, token: TOKEN, name: 'box', deviceId: 'device-1', kind }
  writeFileSync(join(home, 'agent.json'), JSON.stringify(config), { mode: 0o600 })
  return {
    ...machine,
    panel,
    service: (verb, ...args) =>
      machine.run(
        `umask 077; ${process.execPath} /tmp/home/sallyport.mjs service ${verb} --config /tmp/home/agent.json ${args.join(' ')}`,
      ),
  }
}

/** Welcomes the next connection; what came meanwhile is let be. */
async function welcome({ panel }: Box): Promise<FakeConnection> {
  const connection = await panel.nextConnection()
  await connection.welcome()
  return connection
}

t.test('an agent under systemd: ready, shut in, brought back, ended when it is refused', { skip }, async (t) => {
  const machine = await box(t, 'client')
  const unit = 'sallyport-agent.service'
  const [installed, first] = await Promise.all([machine.service('install'), welcome(machine)])
  t.equal(installed.status, 0, installed.status === 0 ? 'installed' : installed.output)
  const pid = await machine.show(unit, 'MainPID')
  t.equal(await machine.show(unit, 'ActiveState'), 'active')
  const { output: status } = await machine.run(
    `cat /proc/${pid}/status; cat /proc/${pid}/cmdline /proc/${pid}/environ | tr '\\0' ' '`,
  )
  t.match(status, /^Uid:\t(?!0\t)\d+/m, 'a user of its own')
  t.match(status, /^CapEff:\t0+$/m)
  t.match(status, /^NoNewPrivs:\t1$/m)
  t.match(status, /^Seccomp:\t2$/m)
  t.notMatch(status, TOKEN)
  t.equal(statSync(join(machine.root, 'etc/sallyport/agent.json')).mode & 0o777, 0o600)
  t.match((await machine.service('install')).output, /^nothing is new/m)
  t.equal(await machine.show(unit, 'MainPID'), pid, 'an install with nothing new cuts nobody')

  await machine.shows(unit, 'StatusText', /^connected/)
  const [second] = await Promise.all([welcome(machine), machine.run(`kill -9 ${pid}`), first.closed])
  t.equal(await machine.show(unit, 'NRestarts'), '1')

  await machine.run(
    `mkdir /etc/systemd/system/${unit}.d; printf '[Service]\\nWatchdogSec=3\\n' > /etc/systemd/system/${unit}.d/test.conf; systemctl daemon-reload; systemctl restart --no-block ${unit}`,
  )
  await second.closed
  const third = await welcome(machine)
  await machine.shows(unit, 'ActiveState', 'active')
  const stuck = await machine.show(unit, 'MainPID')
  const signs = await machine.show(unit, 'WatchdogTimestampMonotonic')
  await eventually(async () => (await machine.show(unit, 'WatchdogTimestampMonotonic')) !== signs, 'a sign of life')
  t.equal(await machine.show(unit, 'MainPID'), stuck, 'signs of life come in time')
  await machine.run(`kill -STOP ${stuck}`)
  await third.closed
  const fourth = await welcome(machine)
  t.not(await machine.show(unit, 'MainPID'), stuck, 'what hangs is started anew')

  await machine.run(`sed -i 's/^{/{"allow":[],/' /tmp/home/agent.json`)
  const [edited, fifth] = await Promise.all([machine.service('install'), welcome(machine), fourth.closed])
  t.match(edited.output, /^the settings of \/tmp\/home\/agent\.json are in force/m)
  t.match((await machine.run('cat /etc/sallyport/agent.json')).output, /"allow": \[\]/)

  fifth.ws.close(4401)
  await machine.shows(unit, 'ActiveState', 'failed')
  t.equal(await machine.show(unit, 'ExecMainStatus'), '3')
  t.match((await machine.run(`journalctl --no-pager -u ${unit}`)).output, /enrol again/)
  t.notMatch((await machine.run('journalctl --no-pager')).output, TOKEN)

  t.equal((await machine.service('uninstall')).status, 0)
  t.equal(await machine.show(unit, 'LoadState'), 'not-found')
  t.equal((await machine.run('ls /usr/local/lib/sallyport')).status, 2)
  t.match((await machine.run('cat /etc/sallyport/agent.json')).output, TOKEN)
})

t.test(
  'a relay under systemd: low ports, a key that only root can read, an upgrade without a stop',
  { skip },
  async (t) => {
    const machine = await box(t, 'server')
    const unit = 'sallyport-relay.service'
    const [key, cert] = [join(machine.root, 'etc/relay-key.pem'), join(machine.root, 'etc/relay-cert.pem')]
    const subject = ['-subj', '/CN=play.example.com', '-addext', 'subjectAltName=DNS:play.example.com']
    const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '90']
    execFileSync('openssl', ['req', '-x509', ...curve, '-keyout', key, '-out', cert, ...subject], { stdio: 'ignore' })
    await machine.run('chmod 600 /etc/relay-key.pem')
    const args = ['--data-port', '0', '--public-host', 'play.example.com', '--port-range', '900-910']
    const files = ['--certificate', '/etc/relay-cert.pem', '--private-key', '/etc/relay-key.pem']
    const install = machine.service('install', '--', ...args, ...files)
    const [installed, first] = await Promise.all([install, welcome(machine)])
    t.equal(installed.status, 0, installed.status === 0 ? 'installed' : installed.output)
    const pid = await machine.show(unit, 'MainPID')
    t.match((await machine.run(`cat /proc/${pid}/status`)).output, /^CapEff:\t0000000000000400$/m)
    t.equal((await machine.run('stat -L -c %a /run/sallyport-relay/private-key.pem')).output.trim(), '600')
    t.match((await machine.run('ls -l /var/lib/private/sallyport')).output, /-rw------- .* relay\.state/)

    const links = 'ln -s /etc/victim .new; ln -sf /etc private-key.pem; chown -h --reference=. .new private-key.pem'
    await machine.run(`echo mine > /etc/victim; cd /run/sallyport-relay; ${links}`)
    appendFileSync(join(machine.root, 'tmp/home/sallyport.mjs'), '// another version\n')
    const [upgraded] = await Promise.all([machine.service('install'), welcome(machine), first.closed])
    t.equal(upgraded.status, 0, upgraded.status === 0 ? 'upgraded' : upgraded.output)
    t.match(upgraded.output, /the new version serves/)
    const written = 'cat /etc/victim; stat -c %U /etc/victim; stat -c "%F %U" /run/sallyport-relay/private-key.pem'
    const kept = 'mine\nroot\nregular file sallyport-relay\n'
    t.equal((await machine.run(written)).output, kept, 'no link of the relay’s leads root astray')
    const heir = await machine.show(unit, 'MainPID')
    t.not(heir, pid)
    await eventually(async () => (await machine.run(`test -e /proc/${pid}`)).status !== 0, 'the end of the old process')
    t.equal(await machine.show(unit, 'MainPID'), heir)
    t.equal(await machine.show(unit, 'ActiveState'), 'active')
    t.equal(await machine.show(unit, 'NRestarts'), '0')

    // A panel that does not answer must not make it another end.
    machine.panel.refuseUpgrade = () => ({ status: 503 })
    for (const socket of machine.panel.sockets) socket.pause()
    t.equal((await machine.run(`systemctl stop ${unit}`)).status, 0)
    t.equal(await machine.show(unit, 'Result'), 'success')
    t.equal(await machine.show(unit, 'ExecMainStatus'), '0')
    t.match((await machine.run(`journalctl --no-pager _PID=${heir}`)).output, /stopping$/m, 'it was waited for')
  },
)
