import { cp, mkdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { visit } from '../../handover/players.js'
import { until } from '../../support.js'
import { type Command, createHome, type Home } from '../command.js'
import { heirOf, linked, startWorld, type World, welcome } from './relay-world.js'

const PACKAGE = fileURLToPath(new URL('../../../', import.meta.url))
const ENTRY = ['dist', 'cli', 'main.js']

/** A copy of the built program, which says it is this version. */
async function release(home: Home, version: string): Promise<string> {
  const place = join(home.path, `release-${version}`)
  await mkdir(place)
  await cp(join(PACKAGE, 'dist'), join(place, 'dist'), {
    recursive: true,
    filter: (path) => !/\.(map|d\.ts)$/.test(path),
  })
  const manifest = JSON.parse(await readFile(join(PACKAGE, 'package.json'), 'utf8')) as object
  await writeFile(join(place, 'package.json'), JSON.stringify({ ...manifest, version }))
  // Where the copy finds its dependencies; some are the package's own, the others are the workspace's.
  await symlink(join(PACKAGE, 'node_modules'), join(place, 'node_modules'))
  await symlink(join(PACKAGE, '..', '..', 'node_modules'), join(home.path, 'node_modules'))
  return place
}

/** What the link leads to from now on, at once. */
async function point(link: string, place: string): Promise<void> {
  await symlink(place, `${link}.new`)
  await rename(`${link}.new`, link)
}

async function startLinked(t: Parameters<typeof createHome>[0]): Promise<World & { link: string }> {
  const shelf = await createHome(t)
  const link = join(shelf.path, 'current')
  await point(link, await release(shelf, '1.0.0'))
  const start = (home: Home, args: string[], env: Record<string, string>): Command =>
    home.start(args, env, join(link, ...ENTRY))
  return { ...(await startWorld(t, { start })), link }
}

t.test('the program was replaced: the new version serves', { timeout: 60_000 }, async (t) => {
  const { command, side, panel, allocations, tcp, agent, link } = await startLinked(t)
  t.equal(side.hello.version, '1.0.0')
  const shelf = await createHome(t)
  await point(link, await release(shelf, '2.0.0'))
  command.kill('SIGHUP')
  await heirOf(command)
  t.match(command.stdout(), /^version 2\.0\.0 serves now/m)
  const { hello } = await welcome(panel, allocations)
  t.equal(hello.version, '2.0.0')
  await linked(agent)
  t.equal(await visit(t, tcp), 100)
  command.kill('SIGTERM')
  t.equal(await command.exit, 0)
})

t.test('the program is gone, or is none: it goes on', { timeout: 60_000 }, async (t) => {
  const { command, tcp, link } = await startLinked(t)
  await rm(link)
  command.kill('SIGHUP')
  await command.says(/^the upgrade has failed, this process goes on: the new process ended with exit code 1$/m)
  const shelf = await createHome(t)
  await mkdir(join(shelf.path, 'dist', 'cli'), { recursive: true })
  await writeFile(join(shelf.path, ...ENTRY), 'process.exit(0)')
  await point(link, shelf.path)
  command.kill('SIGHUP')
  await command.says(/^the upgrade has failed, this process goes on: the new process ended with exit code 0$/m)
  t.equal(await visit(t, tcp), 100)
  command.kill('SIGTERM')
  t.equal(await command.exit, 0)
})

t.test(
  'a program that hangs holds nobody up: not players, not a second SIGHUP, not SIGTERM',
  { timeout: 60_000 },
  async (t) => {
    const { command, tcp, link } = await startLinked(t)
    const shelf = await createHome(t)
    await mkdir(join(shelf.path, 'dist', 'cli'), { recursive: true })
    await writeFile(
      join(shelf.path, ...ENTRY),
      "setInterval(() => {}, 1_000); process.on('message', () => {}); console.log('hangs')",
    )
    await point(link, shelf.path)
    command.kill('SIGHUP')
    await command.says(/^hangs$/m)
    command.kill('SIGHUP')
    await command.says(/^SIGHUP is ignored: an upgrade is under way$/m)
    t.equal(await visit(t, tcp), 100)
    command.kill('SIGTERM')
    t.equal(await command.exit, 0)
    t.equal(command.stdout().match(/^hangs$/gm)?.length, 1)
    await until(() => /^stopping$/m.test(command.stdout()), 'its last words')
  },
)
