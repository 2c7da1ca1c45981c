// Run by npm and lerna in a package's folder before it is packed: builds it from nothing, so that no output of a file that is no longer there
// is published, and bundles the command.
import { spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))

rmSync('dist', { recursive: true, force: true })
// Maps would lead to sources that are not in the package.
run(join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-b', '--sourceMap', 'false', '--declarationMap', 'false')
if (basename(process.cwd()) === 'relay') run(join(root, 'scripts', 'bundle.mjs'))

function run(...args) {
  // What npm writes to standard output is for its own reader.
  const { status, error } = spawnSync(process.execPath, args, { stdio: ['ignore', 2, 2] })
  if (error || status !== 0) process.exit(status ?? 1)
}
