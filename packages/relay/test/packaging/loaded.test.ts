import { join } from 'node:path'
import t, { type Test } from 'tap'
import { problem } from '../fake-panel.js'
import { start } from './program.js'
import { approvingPanel } from './story.js'
import { ROOT, temporaryFolder } from './tarball.js'

/** Says on stderr which packages are imported. */
const HOOKS = `import { writeSync } from 'node:fs'
export async function resolve(specifier, context, next) {
  const found = await next(specifier, context)
  const [, name] = /.*node_modules\\/((?:@[^/]+\\/)?[^/]+)\\//.exec(found.url) ?? []
  if (name) writeSync(2, 'loaded ' + name + '\\n')
  return found
}`
const REGISTER = `import { register } from 'node:module'; register(${JSON.stringify(toUrl(HOOKS))})`
const COMMAND = join(ROOT, 'packages/relay/bin/sallyport.js')
/** The command line itself, and colours or none. */
const FOR_ALL = ['commander', 'picocolors']
const FOR_TERMINALS = /clack|uqr|sisteransi/
const TOKEN = 'header.payload-very-secret.signature'

async function loadedBy(t: Test, args: string[], env: Record<string, string> = {}): Promise<string[]> {
  const folder = await temporaryFolder(t, 'loaded')
  const command = [process.execPath, '--import', toUrl(REGISTER), COMMAND, ...args]
  const program = start(t, command, { cwd: folder, env: { HOME: folder, ...env } })
  t.equal(await program.exit, 0, program.stderr())
  const names = [...program.stderr().matchAll(/^loaded (.*)$/gm)].map(([, name]) => `${name}`)
  return [...new Set(names)].sort()
}

t.test('a command loads no package that it does not need', async (t) => {
  const panel = await approvingPanel(t)
  panel.routes.set('GET /api/tunnel/allocations', ({ headers }) =>
    headers.authorization === `Bearer ${TOKEN}` ? { body: { allocations: [] } } : problem(401, 'unauthorized'),
  )
  const env = { SALLYPORT_PANEL: panel.url, SALLYPORT_TOKEN: TOKEN }
  for (const args of [['--version'], ['--help'], ['run', '--help'], ['relay', '--help'], ['service', '--help']]) {
    const more = (await loadedBy(t, args)).filter((name) => !FOR_ALL.includes(name))
    t.strictSame(more, [], args.join(' '))
  }
  for (const args of [
    ['allocations', '--json'],
    ['enroll', '--json'],
  ]) {
    const loaded = (await loadedBy(t, args, env)).join(' ')
    t.notMatch(loaded, FOR_TERMINALS, args.join(' '))
    t.notMatch(loaded, /\bws\b/, args.join(' '))
  }
})

t.test('an agent off a terminal loads nothing for terminals', async (t) => {
  const panel = await approvingPanel(t)
  const folder = await temporaryFolder(t, 'loaded')
  const env = { HOME: folder, SALLYPORT_PANEL: panel.url, SALLYPORT_TOKEN: TOKEN }
  const program = start(t, [process.execPath, '--import', toUrl(REGISTER), COMMAND, 'run'], { cwd: folder, env })
  const connection = await panel.nextConnection()
  await connection.welcome()
  await program.says(/^connected to/m)
  program.kill('SIGTERM')
  t.equal(await program.exit, 0)
  t.match(program.stderr(), /^loaded ws$/m)
  t.notMatch(program.stderr(), FOR_TERMINALS)
})

function toUrl(script: string): string {
  return `data:text/javascript,${encodeURIComponent(script)}`
}
