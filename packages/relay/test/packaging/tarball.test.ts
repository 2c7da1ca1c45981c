import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { inherited, output } from './program.js'
import { enrolRunAndPlay } from './story.js'
import { bundleElsewhere, packRelay, temporaryFolder } from './tarball.js'

/** The issue's: everything that lies on the disk afterwards. */
const MOST_INSTALLED_BYTES = 5_000_000

const DEPENDENCIES = [
  'commander',
  'fast-string-truncated-width',
  'fast-string-width',
  'openapi-fetch',
  'openapi-typescript-helpers',
  'picocolors',
  'uqr',
  'ws',
]

t.test('the tarball, installed in an empty folder', async (t) => {
  const tarball = await packRelay(t)

  t.test('has what was built from what is there, the one file, and nothing else', async (t) => {
    const built = tarball.files.filter((path) => path.startsWith('dist/') && path !== 'dist/sallyport.mjs')
    const sources = new Set(await readdir(join(tarball.folder, 'src'), { recursive: true }))
    const source = (path: string) => path.slice('dist/'.length).replace(/(\.d\.ts|\.js)$/, '.ts')
    t.strictSame(
      built.filter((path) => !sources.has(source(path))),
      [],
    )
    const texts = await Promise.all(built.map((path) => readFile(join(tarball.folder, path), 'utf8')))
    t.strictSame(
      built.filter((_, index) => texts[index]?.includes('sourceMappingURL')),
      [],
      'none leads to a map',
    )
    const rest = tarball.files.filter((path) => !path.startsWith('dist/'))
    t.strictSame(rest.sort(), ['LICENSE', 'README.md', 'bin/sallyport.js', 'package.json'])
    t.ok(tarball.files.includes('dist/sallyport.mjs'))
    const there = await readFile(join(tarball.folder, 'dist/sallyport.mjs'))
    t.ok(there.equals(await bundleElsewhere(t, tarball)), 'the one file is the same whichever checkout it is made in')
  })

  const folder = await temporaryFolder(t, 'installed')
  await writeFile(join(folder, 'package.json'), '{ "private": true }')
  const options = { cwd: folder, env: inherited(), deadlineMs: 120_000 }
  const install = ['npm', 'install', '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund', tarball.path]
  await output(t, install, options)

  t.test('is small and brings few packages along', async (t) => {
    const { packages } = JSON.parse(await readFile(join(folder, 'node_modules/.package-lock.json'), 'utf8'))
    const names = Object.keys(packages).map((path) => path.replace(/.*node_modules\//, ''))
    t.strictSame(names.filter((name) => name !== '@sallyport/relay').sort(), DEPENDENCIES)
    const special = Object.entries<Record<string, unknown>>(packages).filter(([, { hasInstallScript, os, cpu }]) =>
      Boolean(hasInstallScript ?? os ?? cpu),
    )
    t.strictSame(special, [], 'none runs anything when it is installed, none is for some systems only')
    const bytes = await occupied(join(folder, 'node_modules'))
    t.ok(bytes < MOST_INSTALLED_BYTES, `${bytes} bytes on the disk`)
  })

  t.test('npx runs the command', async (t) => {
    const help = await output(t, ['npx', '--no-install', 'sallyport', '--help'], options)
    t.match(help, /^Usage: sallyport/)
    const { version } = JSON.parse(await readFile(join(tarball.folder, 'package.json'), 'utf8'))
    t.equal(await output(t, ['npx', '--no-install', 'sallyport', '--version'], options), `${version}\n`)
  })

  t.test('the library can be imported', async (t) => {
    const script = `import { createAgent, createRelay } from '@sallyport/relay'
      import { relayStorageContract } from '@sallyport/relay/testing'
      console.log(typeof createAgent, typeof createRelay, typeof relayStorageContract)`
    const node = [process.execPath, '--input-type=module', '--eval', script]
    t.equal(await output(t, node, options), 'function function function\n')
  })

  t.test('enrols, runs and serves players', (t) =>
    enrolRunAndPlay(t, [join(folder, 'node_modules/.bin/sallyport')], folder),
  )
})

/** As `du` counts. */
async function occupied(folder: string): Promise<number> {
  const paths = await readdir(folder, { recursive: true })
  const sizes = await Promise.all(paths.map(async (path) => (await stat(join(folder, path))).blocks * 512))
  return sizes.reduce((sum, size) => sum + size, 0)
}
