import t from 'tap'
import { StreamingPlayer, visit } from '../../handover/players.js'
import { until } from '../../support.js'
import { heirOf, linked, startWorld, welcome } from './relay-world.js'

t.test('--drain: players finish, nobody new comes, the panel is told', { timeout: 60_000 }, async (t) => {
  const { command, side, tcp } = await startWorld(t, { args: ['--drain', '60'] })
  const player = new StreamingPlayer(t, tcp)
  await until(() => player.receivedBytes > 20_000, 'play')
  command.kill('SIGTERM')
  await command.says(/^stopping: players may finish for 60 s, a second signal cuts them$/m)
  for (let draining: unknown; draining !== true; ) draining = (await side.connection.next('relay_status'))['draining']
  await t.rejects(visit(t, tcp), { code: 'ECONNREFUSED' })
  const before = player.receivedBytes
  await until(() => player.receivedBytes > before + 20_000, 'play goes on')
  command.kill('SIGHUP')
  await command.says(/^SIGHUP is ignored: the relay is stopping$/m)
  t.equal(await player.end(), undefined)
  t.equal(await command.exit, 0)
})

t.test('--drain: the panel may still cut a player', { timeout: 60_000 }, async (t) => {
  const { command, side, tcp } = await startWorld(t, { args: ['--drain', '60'] })
  const player = new StreamingPlayer(t, tcp)
  await until(() => player.receivedBytes > 20_000, 'play')
  command.kill('SIGTERM')
  await command.says(/^stopping/m)
  side.connection.send({ type: 'relay_change', base: 3, revision: 4, part: 0, parts: 1, upsert: [], remove: [1] })
  t.equal(await command.exit, 0)
  t.type(await player.end(), 'string')
})

t.test('--drain: a panel that was away meanwhile is told, and may cut a player', { timeout: 60_000 }, async (t) => {
  const { command, panel, side, tcp, allocations } = await startWorld(t, { args: ['--drain', '60'] })
  const player = new StreamingPlayer(t, tcp)
  await until(() => player.receivedBytes > 20_000, 'play')
  command.kill('SIGTERM')
  await command.says(/^stopping/m)
  side.connection.ws.close(1001)
  const { connection } = await welcome(panel, allocations, 4)
  connection.send({ type: 'relay_change', base: 4, revision: 5, part: 0, parts: 1, upsert: [], remove: [1] })
  t.match((await connection.next('relay_connections'))['ended'], [{ allocationId: 1, reason: 'cut' }])
  t.type(await player.end(), 'string')
  t.equal(await command.exit, 0)
  t.notMatch(command.stdout(), /cannot be reached/)
})

t.test('a second signal cuts them, but not the same one twice at once', { timeout: 60_000 }, async (t) => {
  const { command, tcp } = await startWorld(t, { args: ['--drain', '60'] })
  const player = new StreamingPlayer(t, tcp)
  await until(() => player.receivedBytes > 20_000, 'play')
  command.kill('SIGINT')
  command.kill('SIGTERM')
  await command.says(/^stopping/m)
  const before = player.receivedBytes
  const at = performance.now()
  await until(() => player.receivedBytes > before + 20_000 && performance.now() - at > 600, 'play goes on')
  command.kill('SIGTERM')
  t.equal(await command.exit, 0)
  t.type(await player.end(), 'string')
})

t.test('SIGTERM after an upgrade: players of both processes finish', { timeout: 60_000 }, async (t) => {
  const { command, panel, tcp, agent, allocations } = await startWorld(t, { args: ['--drain', '60'] })
  const first = new StreamingPlayer(t, tcp)
  await until(() => first.receivedBytes > 20_000, 'play')
  command.kill('SIGHUP')
  await heirOf(command)
  await welcome(panel, allocations)
  await linked(agent)
  const second = new StreamingPlayer(t, tcp)
  await until(() => second.receivedBytes > 20_000, 'play')
  command.kill('SIGTERM')
  await command.says(/^stopping/m)
  t.equal(await second.end(), undefined)
  const before = first.receivedBytes
  await until(() => first.receivedBytes > before + 20_000, 'the first plays on')
  t.equal(await first.end(), undefined)
  t.equal(await command.exit, 0)
})
