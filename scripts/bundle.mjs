// Makes one file of the built command and all that it needs, for machines with nothing but Node.js:
// node scripts/bundle.mjs [FILE]   (packages/relay/dist/sallyport.mjs)
import { chmodSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const folder = join(root, 'packages', 'relay')
const manifest = readManifest(folder)
const [major, minor] = manifest.engines.node.match(/\d+/g)
const target = resolve(process.argv[2] ?? join(folder, 'dist', 'sallyport.mjs'))

/** Node's own modules are loaded when they are first needed, and not before the head has looked at Node's version. */
const nodeModules = {
  name: 'node-modules',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^node:/ }, ({ path, kind }) =>
      kind === 'require-call' ? { path, external: true } : { path, namespace: 'node' },
    )
    onLoad({ filter: /^/, namespace: 'node' }, ({ path }) => ({
      contents: `module.exports = require(${JSON.stringify(path)})`,
    }))
  },
}

const { outputFiles, metafile } = await build({
  // Paths in the output are written from here, as they are found: the same bytes in any checkout.
  absWorkingDir: folder,
  preserveSymlinks: true,
  entryPoints: ['dist/cli/main.js'],
  outfile: target,
  bundle: true,
  write: false,
  metafile: true,
  platform: 'node',
  format: 'esm',
  target: `node${major}.${minor}`,
  minifySyntax: true,
  // What is optional is left out, so that nothing is loaded that happens to lie beside the file.
  define: {
    SALLYPORT_VERSION: JSON.stringify(manifest.version),
    'process.env.WS_NO_BUFFER_UTIL': '"1"',
    'process.env.WS_NO_UTF_8_VALIDATE': '"1"',
  },
  // They are all in the head.
  legalComments: 'none',
  plugins: [nodeModules],
  logLevel: 'warning',
})
const [{ inputs, imports }] = Object.values(metafile.outputs)
for (const { path, external } of imports) {
  if (external && !path.startsWith('node:') && !builtinModules.includes(path)) fail(`it still imports ${path}`)
}
const [interpreter, ...program] = outputFiles[0].text.split('\n')
const aside = `${target}.${process.pid}`
writeFileSync(aside, [interpreter, head(Object.keys(inputs)), ...program].join('\n'))
chmodSync(aside, 0o755)
renameSync(aside, target)

/** Whose work is inside, under which terms; what CommonJS loads Node's modules with; a word to an older Node. */
function head(files) {
  const folders = new Set(files.flatMap((path) => path.match(/.*node_modules\/(@[^/]+\/)?[^/]+/)?.[0] ?? []))
  const packages = [...folders].map((path) => readPackage(join(folder, path)))
  const parts = [readPackage(folder), ...packages.sort((a, b) => (a.title < b.title ? -1 : 1))]
  const notices = parts.map(({ title, licence }) => `${title}\n\n${licence}`)
  const text = `${manifest.name} ${manifest.version} and what it is made of, in one file.\n\n${notices.join('\n\n')}`
  const comment = text.replace(/^/gm, ' * ').replace(/ +$/gm, '').replaceAll('*/', '* /')
  return `/*\n${comment}\n */
import { createRequire as createBundleRequire } from 'node:module'
const require = createBundleRequire(import.meta.url)
const [nodeMajor, nodeMinor] = process.versions.node.split('.').map(Number)
if (nodeMajor < ${major} || (nodeMajor === ${major} && nodeMinor < ${minor})) {
  console.error(\`error: sallyport needs Node.js ${major}.${minor} or newer, this is \${process.versions.node}\`)
  process.exit(1)
}`
}

function readPackage(path) {
  const { name, version, license } = readManifest(path)
  const file = readdirSync(path).find((entry) => /^licen[cs]e(\.md|\.txt)?$/i.test(entry))
  if (file === undefined) fail(`${name} comes without the text of its licence`)
  return { title: `${name} ${version} (${license})`, licence: readFileSync(join(path, file), 'utf8').trim() }
}

function readManifest(path) {
  return JSON.parse(readFileSync(join(path, 'package.json'), 'utf8'))
}

function fail(message) {
  console.error(`sallyport.mjs: ${message}`)
  process.exit(1)
}
