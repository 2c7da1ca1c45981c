import { copyFile, mkdir, readFile, stat } from 'node:fs/promises'
import { builtinModules } from 'node:module'
import { join } from 'node:path'
import t from 'tap'
import { freePort } from '../free-port.js'
import { output, start } from './program.js'
import { approvingPanel, enrolRunAndPlay } from './story.js'
import { BUNDLE, lockedDependencies, ROOT, temporaryFolder } from './tarball.js'

const BUILT_IN = new Set(builtinModules)

t.test('alone in an empty folder it enrols, runs and serves players', async (t) => {
  const folder = await temporaryFolder(t, 'alone')
  await copyFile(BUNDLE, join(folder, 'sallyport.mjs'))
  await enrolRunAndPlay(t, [process.execPath, join(folder, 'sallyport.mjs')], folder)
})

t.test('alone it is a relay', async (t) => {
  const folder = await temporaryFolder(t, 'alone')
  const file = join(folder, 'anything.mjs')
  await copyFile(BUNDLE, file)
  const panel = await approvingPanel(t)
  const token = ['e30', Buffer.from('{"sub":"relay-1","kind":"server"}').toString('base64url'), 'secret'].join('.')
  const options = { cwd: folder, env: { HOME: folder, SALLYPORT_TOKEN: token, SALLYPORT_PANEL: panel.url } }
  await mkdir(join(folder, '.config/sallyport'), { recursive: true })
  const relay = start(t, [process.execPath, file, 'relay', '--data-port', String(await freePort())], options)
  await relay.says(/^relay ready: agents dial/m)
  const connection = await panel.nextConnection()
  t.match(await connection.next('hello'), { relay: { fingerprint: /^[0-9a-f]{64}$/ } })
  relay.kill('SIGTERM')
  t.equal(await relay.exit, 0)
})

t.test('it can be started as a program and does not look at what lies around it', async (t) => {
  const folder = await temporaryFolder(t, 'alone')
  await copyFile(BUNDLE, join(folder, 'sallyport.mjs'))
  t.equal((await stat(BUNDLE)).mode & 0o111, 0o111)
  const { version } = JSON.parse(await readFile(join(ROOT, 'packages/relay/package.json'), 'utf8'))
  const options = { cwd: folder, env: { PATH: process.env['PATH'] ?? '' } }
  t.equal(await output(t, [join(folder, 'sallyport.mjs'), '--version'], options), `${version}\n`)
  const text = await readFile(BUNDLE, 'utf8')
  t.notOk(text.includes(ROOT), 'no path of the machine that made it')
  t.notMatch(text, /sourceMappingURL/)
  const loaded = [...text.matchAll(/(?:\bfrom|\bimport|__require\(|\brequire\(|\bimport\()\s*(["'])([\w@][^"'\n]*)\1/g)]
  const foreign = loaded.flatMap(([, , name = '']) => (BUILT_IN.has(name.replace(/^node:/, '')) ? [] : [name]))
  t.strictSame(foreign, [], 'nothing but modules of Node is loaded')
})

t.test('it says how it is called, not how the installed command is', async (t) => {
  const folder = await temporaryFolder(t, 'alone')
  await copyFile(BUNDLE, join(folder, 'sallyport.mjs'))
  const options = { cwd: folder, env: { HOME: folder } }
  const help = await output(t, [process.execPath, 'sallyport.mjs', 'enroll', '--help'], options)
  t.match(help, /^Usage: node sallyport\.mjs enroll \[options\]/)
  t.match(help, /\$ node sallyport\.mjs enroll --panel/)
  t.match(help, /\$ SALLYPORT_API_KEY=\.\.\. node sallyport\.mjs enroll --kind server/)
  t.notMatch(help, /\$ sallyport/)
  const run = start(t, [process.execPath, 'sallyport.mjs', 'run'], options)
  t.equal(await run.exit, 3)
  t.match(run.stderr(), /run 'node sallyport\.mjs enroll --panel URL' first/)
})

t.test('its head names whose work is inside, with their licences', async (t) => {
  const text = await readFile(BUNDLE, 'utf8')
  const head = text.slice(0, text.indexOf('*/'))
  const inside = new Set([...text.matchAll(/^\/\/ \S*node_modules\/((?:@[^/]+\/)?[^/]+)\//gm)].map(([, name]) => name))
  t.ok(inside.has('commander') && inside.has('ws'))
  const known = await lockedDependencies()
  for (const name of inside) {
    t.ok(known.includes(`${name}`), `${name} is a dependency`)
    t.match(head, new RegExp(`^ \\* ${name} \\d+\\.\\d+\\.\\d+ \\((MIT|ISC)\\)$`, 'm'), `${name}`)
  }
  const notices = head.match(/copyright notice and this permission/gi) ?? []
  t.equal(notices.length, inside.size + 1, "each one's terms, and our own")
})

t.test('an older Node is told', async (t) => {
  const older = "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.18.3' } })"
  for (const file of [BUNDLE, join(ROOT, 'packages/relay/bin/sallyport.js')]) {
    const program = start(t, [process.execPath, '--import', `data:text/javascript,${older}`, file, 'run'], {
      cwd: ROOT,
    })
    t.equal(await program.exit, 1)
    t.equal(program.stderr(), 'error: sallyport needs Node.js 20.19 or newer, this is 20.18.3\n')
  }
})
