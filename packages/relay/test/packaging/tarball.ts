import { cp, mkdtemp, readFile, realpath, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import { inherited, output } from './program.js'

export const ROOT: string = fileURLToPath(new URL('../../../../', import.meta.url))
export const BUNDLE: string = join(ROOT, 'packages', 'relay', 'dist', 'sallyport.mjs')

export interface Tarball {
  path: string
  /** Paths in it. */
  files: string[]
  /** Where it was packed. */
  checkout: string
  /** The package's folder in there. */
  folder: string
}

const SHARED = ['scripts', 'tsconfig.base.json']
const OWN = ['src', 'bin', 'package.json', 'tsconfig.json', 'README.md', 'LICENSE']
const PACK_DEADLINE_MS = 120_000

export async function temporaryFolder(t: Test, name: string): Promise<string> {
  const path = await realpath(await mkdtemp(join(tmpdir(), `sallyport-${name}-`)))
  t.teardown(() => rm(path, { recursive: true, force: true }))
  return path
}

/** What `npm publish` would upload, from a checkout of its own: packing builds anew. */
export async function packRelay(t: Test): Promise<Tarball> {
  const checkout = await temporaryFolder(t, 'checkout')
  const folder = join(checkout, 'packages', 'relay')
  for (const path of SHARED) await cp(join(ROOT, path), join(checkout, path), { recursive: true })
  for (const path of OWN) await cp(join(ROOT, 'packages/relay', path), join(folder, path), { recursive: true })
  for (const path of ['node_modules', 'packages/relay/node_modules']) {
    await symlink(join(ROOT, path), join(checkout, path)).catch(ignoreMissing)
  }
  const options = { cwd: folder, env: inherited(), deadlineMs: PACK_DEADLINE_MS }
  const [packed] = JSON.parse(await output(t, ['npm', 'pack', '--json'], options))
  return {
    path: join(folder, packed.filename),
    files: packed.files.map(({ path }: { path: string }) => path),
    checkout,
    folder,
  }
}

/** The one file as another checkout makes it of the same. */
export async function bundleElsewhere(t: Test, { checkout }: Tarball): Promise<Buffer> {
  const other = join(await temporaryFolder(t, 'elsewhere'), 'deeper', 'down')
  await cp(checkout, other, { recursive: true, verbatimSymlinks: true })
  const file = join(other, 'one.mjs')
  await output(t, [process.execPath, 'scripts/bundle.mjs', file], { cwd: other })
  return readFile(file)
}

/** The packages that installing @sallyport/relay brings along, as the lock has them. */
export async function lockedDependencies(): Promise<string[]> {
  const { packages } = JSON.parse(await readFile(join(ROOT, 'package-lock.json'), 'utf8'))
  const found = new Set<string>()
  const visit = (from: string): void => {
    for (const name of Object.keys(packages[from].dependencies ?? {})) {
      const path = place(packages, from, name)
      if (found.has(path)) continue
      found.add(path)
      visit(path)
    }
  }
  visit('packages/relay')
  return [...found].map((path) => path.replace(/.*node_modules\//, '')).sort()
}

/** Where Node finds a package: beside its user, or further up. */
function place(packages: Record<string, unknown>, from: string, name: string): string {
  for (let folder = from; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/')))) {
    const path = `${folder === '' ? '' : `${folder}/`}node_modules/${name}`
    if (packages[path] !== undefined) return path
    if (folder === '') throw new Error(`the lock has no ${name} for ${from}`)
  }
}

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error
}
