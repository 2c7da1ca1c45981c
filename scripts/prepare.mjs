// Installs and builds what is missing, so that one npm command is enough on a fresh clone.
// Usage: node scripts/prepare.mjs [--dev]   with --dev also what only tests and linting need.
import { spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const minimumNode = [20, 19]
/** What is made of the build's output, when something of `from` is newer: a script, the file that it writes last. */
const bundles = [
  {
    script: 'bundle.mjs',
    to: 'packages/relay/dist/sallyport.mjs',
    // The compiler writes its notes whenever it writes anything.
    from: ['packages/relay/dist/.tsbuildinfo', 'packages/relay/package.json'],
    complaint: 'Bundling the command failed.',
  },
  {
    script: 'web.mjs',
    to: 'examples/reference-server/dist/web/index.html',
    from: ['examples/reference-server/web', 'packages/relay/dist/.tsbuildinfo'],
    complaint: 'Bundling the dashboard failed.',
  },
]
/** A check that nothing has changed takes less. */
const buildsSilentlyMs = 1_500

assertNode()
const dev = process.argv.includes('--dev')
const installed = readPackages(join(root, 'node_modules', '.package-lock.json'))
const locked = readPackages(join(root, 'package-lock.json'))
// What a checkout already has is kept up to date as a whole: a start never takes the test tools away again.
const everything = dev || Object.values(installed).some((entry) => entry.dev)
if (!isInstalled(everything)) await install(everything)
await build()
await Promise.all(bundles.filter(isStale).map(({ script, complaint }) => node(script, complaint)))

function assertNode() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major > minimumNode[0] || (major === minimumNode[0] && minor >= minimumNode[1])) return
  fail(`Sallyport needs Node.js ${minimumNode.join('.')} or newer, this is ${process.versions.node}.`)
}

function readPackages(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages ?? {}
  } catch (error) {
    if (error.code === 'ENOENT') return {}
    return fail(`${file} cannot be read: ${error.message}`)
  }
}

function isInstalled(withDev) {
  return Object.entries(locked).every(([path, entry]) => {
    if (!path.startsWith('node_modules/') || entry.optional) return true
    if (!withDev && (entry.dev || entry.devOptional)) return true
    if (entry.link) return existsSync(join(root, path))
    return installed[path]?.version === entry.version && existsSync(join(root, path))
  })
}

async function install(withDev) {
  process.stderr.write('Installing dependencies (only when they have changed)...\n')
  const args = ['ci', withDev ? '--include=dev' : '--omit=dev', '--ignore-scripts', '--no-audit', '--no-fund']
  await run(
    'npm',
    [...args, '--loglevel=error'],
    'Installing the dependencies failed. Is the npm registry within reach?',
  )
}

async function build() {
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  const notice = setTimeout(() => process.stderr.write('Building (only what has changed)...\n'), buildsSilentlyMs)
  await run(process.execPath, [tsc, '-b', dev ? 'tsconfig.test.json' : 'tsconfig.json'], 'The build failed.')
  clearTimeout(notice)
}

function isStale({ script, to, from }) {
  const inputs = [...from, join('scripts', script), join('node_modules', '.package-lock.json')]
  return newest(to) <= Math.max(...inputs.map(newest))
}

/** When it, or anything in it, was last written; 0 when there is no such thing. */
function newest(path) {
  const stat = statSync(join(root, path), { throwIfNoEntry: false })
  if (!stat?.isDirectory()) return stat?.mtimeMs ?? 0
  return Math.max(stat.mtimeMs, ...readdirSync(join(root, path)).map((name) => newest(join(path, name))))
}

async function node(script, complaint) {
  await run(process.execPath, [join(root, 'scripts', script)], complaint)
}

async function run(command, args, complaint) {
  // What npm prints goes to standard error: standard output belongs to the program that is started.
  const child = spawn(command, args, { cwd: root, stdio: ['ignore', 2, 2] })
  const { status, signal, error } = await new Promise((resolve) => {
    child.on('error', (error) => resolve({ error }))
    child.on('close', (status, signal) => resolve({ status, signal }))
  })
  if (signal) process.kill(process.pid, signal)
  if (error || status !== 0) fail(error ? `${complaint} (${error.message})` : complaint)
}

function fail(message) {
  process.stderr.write(`${message}\n`)
  process.exit(1)
}
