// What npm would upload of each package, and whether it says what it needs.

import { readFile } from 'node:fs/promises'
import { builtinModules } from 'node:module'
import { join } from 'node:path'
import t from 'tap'
import { within } from '../support/deadline.js'
import { root, startProgram } from '../support/program.js'

interface Manifest {
  scripts?: Record<string, string>
  dependencies?: Record<string, string>
  optionalDependencies?: Record<string, string>
  peerDependencies?: Record<string, string>
  exports: Record<string, Record<string, string>>
  bin?: Record<string, string>
}

const packages = ['core', 'relay', 'auth', 'tunnel']
const allowed = /^(package\.json|README\.md|LICENSE|bin\/[^/]+\.js|dist\/.+\.js|dist\/.+\.d\.ts|dist\/sallyport\.mjs)$/
const builtIn = new Set([...builtinModules, ...builtinModules.map((name) => `node:${name}`)])

for (const name of packages) {
  const folder = join(root, 'packages', name)

  t.test(`@sallyport/${name}`, async (t) => {
    const manifest = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as Manifest
    const files = await listPacked(folder)
    t.strictSame(
      files.filter((path) => !allowed.test(path)),
      [],
      'no maps, no notes of the compiler, no tests',
    )
    const promised = [
      ...Object.values(manifest.exports).flatMap((conditions) => Object.values(conditions)),
      ...Object.values(manifest.bin ?? {}),
    ].map((path) => path.replace('./', ''))
    for (const path of [...promised, 'README.md', 'LICENSE']) t.ok(files.includes(path), path)
    t.equal(manifest.scripts?.['prepack'], 'node ../../scripts/prepack.mjs', 'built when it is packed')

    const scripts = files.filter((path) => path.startsWith('dist/') && path.endsWith('.js'))
    const texts = await Promise.all(scripts.map((path) => readFile(join(folder, path), 'utf8')))
    const imported = new Set(texts.flatMap(importsOf).filter((path) => !builtIn.has(path)))
    const declared = Object.keys({
      ...manifest.dependencies,
      ...manifest.optionalDependencies,
      ...manifest.peerDependencies,
    })
    t.strictSame(
      [...imported].filter((path) => !declared.includes(path)),
      [],
      'what it imports are its dependencies',
    )
    if (name !== 'relay') return
    t.strictSame([...imported].sort(), declared.sort(), 'no dependency that it does not use')
  })
}

async function listPacked(folder: string): Promise<string[]> {
  const program = startProgram('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { cwd: folder })
  const { code } = await within('npm pack', program.exited, 60_000)
  if (code !== 0) throw new Error(program.stderr)
  const [packed] = JSON.parse(program.stdout) as { files: { path: string }[] }[]
  return packed?.files.map(({ path }) => path) ?? []
}

/** Packages, not their paths. */
function importsOf(text: string): string[] {
  const found = text.matchAll(/(?:^(?:import|export)\b[^'"\n]*\bfrom |^import |\bimport\()['"]([^'".][^'"]*)['"]/gm)
  return [...found].map(([, path = '']) => path.split('/', path.startsWith('@') ? 2 : 1).join('/'))
}
