import { writeFile } from 'node:fs/promises'
import t from 'tap'
import { createSelfSigned } from '../../../dist/identity/self-signed.js'
import type { CertificatePair } from '../../../dist/index.js'
import { createFakePanel } from '../../fake-panel.js'
import { freePort } from '../../free-port.js'
import { DatagramPlayer, StreamingPlayer, visit } from '../../handover/players.js'
import { until } from '../../support.js'
import { createHome } from '../command.js'
import { heirOf, isAlive, linked, startWorld, TOKEN, welcome } from './relay-world.js'

const compare = (a: number, b: number) => a - b

t.test(
  'SIGHUP under play: nobody notices, totals go on, and one process stands for both',
  { timeout: 60_000 },
  async (t) => {
    const metrics = `127.0.0.1:${await freePort()}`
    const world = await startWorld(t, { args: ['--metrics-address', metrics] })
    const { command, panel, side, agent, tcp, udp, allocations } = world
    const streaming = new StreamingPlayer(t, tcp)
    const datagrams = new DatagramPlayer(t, udp)
    const flows: string[] = []
    agent.on(
      'connection',
      ({ protocol, phase, reason = '' }) => void (protocol === 'udp' && flows.push(phase + reason)),
    )
    await until(() => streaming.receivedBytes > 50_000 && datagrams.received.size > 5, 'play')

    command.kill('SIGHUP')
    const pid = await heirOf(command)
    const successor = await welcome(panel, allocations)
    t.equal(successor.hello.relay.epoch, side.hello.relay.epoch, 'totals are of one row')
    t.equal(successor.hello.relay.fingerprint, side.hello.relay.fingerprint)
    t.equal(successor.hello.relay.revision, 3, 'the state went over')
    await linked(agent)
    t.equal(await visit(t, tcp), 100, 'who comes now is served')
    const [before, heard] = [streaming.receivedBytes, datagrams.received.size]
    await until(() => streaming.receivedBytes > before + 50_000 && datagrams.received.size > heard + 20, 'play goes on')
    t.match(
      command.stdout(),
      /^handed over to process \d+; players who stay with the old program until they leave: 1$/m,
    )
    await until(() => /^metrics at [\s\S]*^metrics at /m.test(command.stdout()), 'the metrics of the new process')
    t.equal((await fetch(`http://${metrics}/healthz`)).status, 200)

    t.equal(await streaming.end(), undefined, 'every byte came back')
    await command.says(/^the last player of the process before the upgrade has left$/m)
    const total = streaming.sentBytes + 100
    for (let totals: number[][] = []; totals.find(([id]) => id === 1)?.[1] !== total; )
      totals = (await successor.connection.next('relay_traffic'))['totals'] as number[][]
    t.same(flows, ['open'], 'to the service it is the same flow')
    t.ok(datagrams.lost < datagrams.sent / 2, `${datagrams.lost} of ${datagrams.sent} datagrams lost`)

    command.kill('SIGTERM')
    t.equal(await command.exit, 0)
    t.notOk(isAlive(pid), 'the new process ended with it')
    t.equal(command.stderr(), '', 'no trouble is told')
  },
)

t.test('an upgrade of an upgrade; the panel is away', { timeout: 60_000 }, async (t) => {
  const { command, panel, tcp, agent, allocations } = await startWorld(t)
  await panel.close()
  t.equal(await visit(t, tcp), 100, 'somebody of whom the panel is to hear later')
  const players = [new StreamingPlayer(t, tcp)]
  for (const n of [1, 2]) {
    await until(() => (players.at(-1)?.receivedBytes ?? 0) > 20_000, 'play')
    command.kill('SIGHUP')
    await heirOf(command, n)
    await linked(agent)
    players.push(new StreamingPlayer(t, tcp))
  }
  await until(() => (players.at(-1)?.receivedBytes ?? 0) > 20_000, 'play')
  for (const player of players) t.equal(await player.end(), undefined)
  t.equal(await visit(t, tcp), 100)
  const again = await createFakePanel(Number(new URL(panel.url).port))
  t.teardown(() => again.close())
  const { connection } = await welcome(again, allocations)
  const ended: { bytesIn: number }[] = []
  while (ended.length < 5) ended.push(...((await connection.next('relay_connections'))['ended'] as typeof ended))
  const sizes = [100, 100, ...players.map(({ sentBytes }) => sentBytes)]
  t.same(ended.map(({ bytesIn }) => bytesIn).sort(compare), sizes.sort(compare), 'everybody, once')
  command.kill('SIGINT')
  t.equal(await command.exit, 0)
})

t.test('a successor that cannot start leaves everything as it was, in one line', { timeout: 60_000 }, async (t) => {
  const { command, panel, home, tcp, allocations, agent } = await startWorld(t)
  const player = new StreamingPlayer(t, tcp)
  const config = await home.read()
  await writeFile(home.config, '{ nonsense')
  command.kill('SIGHUP')
  await command.says(/^the upgrade has failed, this process goes on: the new process ended with exit code 1$/m)
  t.equal(await visit(t, tcp), 100)

  await writeFile(home.config, config)
  command.kill('SIGHUP')
  await heirOf(command)
  await welcome(panel, allocations)
  await linked(agent)
  t.equal(await player.end(), undefined)
  command.kill('SIGTERM')
  t.equal(await command.exit, 0)
})

t.test(
  'the new process is killed: the one that stands for it ends, and so do its players',
  { timeout: 60_000 },
  async (t) => {
    const { command, panel, tcp, allocations } = await startWorld(t)
    const player = new StreamingPlayer(t, tcp)
    await until(() => player.receivedBytes > 20_000, 'play')
    command.kill('SIGHUP')
    const pid = await heirOf(command)
    await welcome(panel, allocations)
    process.kill(pid, 'SIGKILL')
    t.equal(await command.exit, 1)
    t.match(command.stderr(), /error: the process that took over ended by SIGKILL/)
    t.type(await player.end(), 'string')
  },
)

t.test('the old process is killed: the new one does not stay behind unseen', { timeout: 60_000 }, async (t) => {
  const { command, panel, tcp, allocations } = await startWorld(t)
  command.kill('SIGHUP')
  const pid = await heirOf(command)
  t.teardown(() => isAlive(pid) && process.kill(pid, 'SIGKILL'))
  await welcome(panel, allocations)
  t.equal(await visit(t, tcp), 100)
  command.kill('SIGKILL')
  await until(() => !isAlive(pid), 'the end of the new process')
  await t.rejects(visit(t, tcp), { code: 'ECONNREFUSED' })
})

t.test('exit 3 of the new process is that of the old one', { timeout: 60_000 }, async (t) => {
  const { command, panel, allocations } = await startWorld(t)
  command.kill('SIGHUP')
  await heirOf(command)
  const { connection } = await welcome(panel, allocations)
  connection.ws.close(4403)
  t.equal(await command.exit, 3)
  t.match(command.stderr(), /enrol again/)
})

t.test('after --linger the players of the old process are cut', { timeout: 60_000 }, async (t) => {
  const { command, tcp } = await startWorld(t, { args: ['--linger', '1'] })
  const player = new StreamingPlayer(t, tcp)
  await until(() => player.receivedBytes > 20_000, 'play')
  command.kill('SIGHUP')
  await command.says(/^the last player of the process before the upgrade has left$/m)
  t.type(await player.end(), 'string')
  command.kill('SIGTERM')
  t.equal(await command.exit, 0)
})

t.test('SIGHUP looks at the certificate too, also when the upgrade fails', { timeout: 60_000 }, async (t) => {
  const place = await createHome(t)
  const [cert, key] = [`${place.config}.cert.pem`, `${place.config}.key.pem`]
  const write = async (pair: CertificatePair) => {
    await writeFile(key, pair.key)
    await writeFile(cert, pair.cert)
  }
  await write(createSelfSigned({ commonName: 'play.example.com' }))
  const home = await createHome(t)
  const panel = await createFakePanel()
  t.teardown(() => panel.close())
  await home.enrol({ panel: panel.url, token: TOKEN })
  const files = ['--certificate', cert, '--private-key', key]
  const command = home.start(['relay', '--data-port', '0', '--public-host', 'play.example.com', ...files])
  await welcome(panel)
  await write(createSelfSigned({ commonName: 'play.example.com' }))
  await writeFile(home.config, '{')
  command.kill('SIGHUP')
  await command.says(/^a renewed certificate is in use/m)
  await command.says(/^the upgrade has failed/m)
  command.kill('SIGTERM')
  t.equal(await command.exit, 0)
})
