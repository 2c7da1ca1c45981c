import { chmod, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { StreamingPlayer, visit } from '../../handover/players.js'
import { until } from '../../support.js'
import { createHome } from '../command.js'
import { heirOf, isAlive, linked, startWorld, welcome } from './relay-world.js'

interface Supervisor {
  env: Record<string, string>
  /** What was told, one line a message: who told it, and the variables. */
  told(): Promise<string[]>
  hears(pattern: RegExp, from?: number): Promise<void>
}

/** In place of systemd-notify: keeps what it is given. */
async function supervisor(t: Test): Promise<Supervisor> {
  const { path } = await createHome(t)
  const [program, log] = [join(path, 'systemd-notify'), join(path, 'told')]
  await writeFile(log, '')
  await writeFile(program, `#!/bin/sh\necho "$PPID $*" >>'${log}'\n`)
  await chmod(program, 0o755)
  const told = async () => (await readFile(log, 'utf8')).split('\n').filter((line) => line !== '')
  return {
    env: { NOTIFY_SOCKET: join(path, 'nobody'), WATCHDOG_USEC: '600000', PATH: `${path}:${process.env['PATH']}` },
    told,
    async hears(pattern, from = 0) {
      await until(async () => (await told()).slice(from).some((line) => pattern.test(line)), `${pattern}`)
    },
  }
}

t.test(
  'readiness, signs of life, and a new main process by SIGHUP; the old one leaves with its last player',
  { timeout: 60_000 },
  async (t) => {
    const systemd = await supervisor(t)
    const { command, panel, tcp, agent, allocations } = await startWorld(t, { env: systemd.env })
    await systemd.hears(/READY=1/)
    await systemd.hears(/WATCHDOG=1/)
    t.match((await systemd.told())[0], /READY=1.* STATUS=serving /)
    const player = new StreamingPlayer(t, tcp)
    await until(() => player.receivedBytes > 20_000, 'play')

    const before = (await systemd.told()).length
    command.kill('SIGHUP')
    const pid = await heirOf(command)
    t.teardown(() => isAlive(pid) && process.kill(pid, 'SIGKILL'))
    await welcome(panel, allocations)
    await linked(agent)
    await systemd.hears(/RELOADING=1/, before)
    await systemd.hears(new RegExp(`^${pid} MAINPID=${pid} READY=1`), before)
    t.equal(await visit(t, tcp), 100)
    const atHandover = (await systemd.told()).length
    await systemd.hears(/WATCHDOG=1/, atHandover)
    const tellers = (await systemd.told()).slice(atHandover).map((line) => Number(line.split(' ')[0]))
    t.same([...new Set(tellers)], [pid], 'only the new process gives signs of life')

    const bytes = player.receivedBytes
    await until(() => player.receivedBytes > bytes + 20_000, 'play goes on')
    t.equal(await player.end(), undefined)
    process.kill(pid, 0)
    await until(() => /^the last player of the process before/m.test(command.stdout()), 'the end of the old process')
    t.equal(await visit(t, tcp), 100, 'the new process serves on without it')
    process.kill(pid, 'SIGTERM')
    t.equal(await command.exit, 0)
    await until(() => !isAlive(pid), 'the end of the new process')
    await systemd.hears(new RegExp(`^${pid} .*STOPPING=1`))
  },
)

t.test('the old process is killed while its player plays: the new one serves on', { timeout: 60_000 }, async (t) => {
  const systemd = await supervisor(t)
  const { command, panel, tcp, agent, allocations } = await startWorld(t, { env: systemd.env })
  const player = new StreamingPlayer(t, tcp)
  await until(() => player.receivedBytes > 20_000, 'play')
  command.kill('SIGHUP')
  const pid = await heirOf(command)
  t.teardown(() => isAlive(pid) && process.kill(pid, 'SIGKILL'))
  const { connection } = await welcome(panel, allocations)
  await linked(agent)
  command.kill('SIGKILL')
  await until(() => player.error !== undefined, 'the end of the player')
  t.equal(await visit(t, tcp), 100)
  for (let open: unknown; open !== 0; ) {
    const totals = (await connection.next('relay_traffic'))['totals'] as number[][]
    open = totals.find(([id]) => id === 1)?.[4]
  }
  t.ok(isAlive(pid))
})

t.test('an upgrade that fails ends the reload', { timeout: 60_000 }, async (t) => {
  const systemd = await supervisor(t)
  const { command, home, tcp } = await startWorld(t, { env: systemd.env })
  await systemd.hears(/READY=1/)
  await writeFile(home.config, '{')
  const before = (await systemd.told()).length
  command.kill('SIGHUP')
  await systemd.hears(/RELOADING=1/, before)
  await systemd.hears(/READY=1/, before)
  t.equal(await visit(t, tcp), 100)
  command.kill('SIGTERM')
  t.equal(await command.exit, 0)
  await systemd.hears(/STOPPING=1/)
})
