// Bundles the dashboard: node scripts/web.mjs   (examples/reference-server/web → examples/reference-server/dist/web)
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const web = join(root, 'examples', 'reference-server', 'web')
const target = join(root, 'examples', 'reference-server', 'dist', 'web')

const { metafile, outputFiles } = await build({
  absWorkingDir: web,
  entryPoints: { app: 'src/main.tsx', style: 'src/style.css' },
  outdir: target,
  write: false,
  bundle: true,
  // Pages load what only they need: charts, the administrator's rooms.
  splitting: true,
  format: 'esm',
  platform: 'browser',
  target: ['chrome123', 'firefox121', 'safari17.5'],
  minify: true,
  metafile: true,
  entryNames: '[name]-[hash]',
  chunkNames: '[name]-[hash]',
  jsx: 'automatic',
  jsxImportSource: 'preact',
  legalComments: 'none',
  logLevel: 'warning',
})

const entry = (source) =>
  basename(Object.entries(metafile.outputs).find(([, output]) => output.entryPoint === source)?.[0] ?? '')
const names = { script: entry('src/main.tsx'), style: entry('src/style.css') }
const files = new Map(outputFiles.map(({ path, contents }) => [basename(path), contents]))
files.set('icon.svg', readFileSync(join(web, 'icon.svg')))
files.set('index.html', page(readFileSync(join(web, 'index.html'), 'utf8')))

mkdirSync(target, { recursive: true })
for (const [name, contents] of files) {
  // A panel may start meanwhile and read them.
  const aside = join(target, `.${process.pid}.${name}`)
  writeFileSync(aside, contents)
  renameSync(aside, join(target, name))
}
for (const name of readdirSync(target)) if (!files.has(name)) rmSync(join(target, name))

/** Names the bundle in the page, with the chunks that it begins with. */
function page(template) {
  const first = Object.values(metafile.outputs).find(({ entryPoint }) => entryPoint === 'src/main.tsx')
  const preloads = first.imports
    .filter(({ kind }) => kind === 'import-statement')
    .map(({ path }) => `<link rel="modulepreload" href="/assets/${basename(path)}">`)
  return template
    .replace('<!-- preloads -->', preloads.join('\n  '))
    .replace('/assets/app.js', `/assets/${names.script}`)
    .replace('/assets/style.css', `/assets/${names.style}`)
}
