// Writes the types of the client from the routes of the built reference server: node scripts/client.mjs [--check]
// (packages/relay/src/client/openapi.ts). With --check nothing is written, and it ends with 1 when they are not the same.
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import openapiTS, { astToString } from 'openapi-typescript'
import { readEnvironment } from '../examples/reference-server/dist/environment.js'
import { createServer } from '../examples/reference-server/dist/server.js'
import { createKernel, createLogger } from '../packages/core/dist/index.js'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const target = join(root, 'packages', 'relay', 'src', 'client', 'openapi.ts')
const shown = relative(root, target)

const { servers: _, ...document } = await readDocument()
const tree = await openapiTS(document, {
  // A field with a default value may be left out of a request.
  defaultNonNullable: false,
  // Not in the order of the routes' registration, so that a change shows as what it is.
  alphabetize: true,
})
const made = format(`// The panel's API. Made by \`npm run client:update\` from its OpenAPI document; not to be edited.
${astToString(tree)}`)

if (!process.argv.includes('--check')) writeFileSync(target, made)
else if (readFileSync(target, 'utf8') !== made) {
  console.error(`${shown} is not what the routes say; npm run client:update`)
  process.exitCode = 1
}

/** From a panel that keeps everything in memory and dials nobody. */
async function readDocument() {
  const environment = readEnvironment({
    DATA_DIR: 'memory://',
    SECRET_KEYS: 'a key that signs nothing which lasts',
    ADMIN_PASSWORD: 'a password that nobody uses',
    RELAY_EMBEDDED: 'false',
  })
  const { plugins } = createServer(environment, {})
  // The dashboard is made with this client and adds nothing to the API.
  const kernel = createKernel({
    logger: createLogger({ level: 'error', fd: 2 }),
    plugins: plugins.filter(({ name }) => name !== '@sallyport/reference-server.dashboard'),
  })
  try {
    const { host, port } = await kernel.listen({ host: '127.0.0.1', port: 0 })
    const response = await fetch(`http://${host}:${port}/api/openapi.json`)
    if (!response.ok) throw new Error(`GET /api/openapi.json: ${response.status}`)
    return await response.json()
  } finally {
    await kernel.stop()
  }
}

/** As the linter wants it. */
function format(source) {
  const program = join(root, 'node_modules', '@biomejs', 'biome', 'bin', 'biome')
  const options = { cwd: root, input: source, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 }
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [program, 'format', `--stdin-file-path=${target}`],
    options,
  )
  if (status !== 0) throw new Error(`formatting failed: ${stderr}`)
  return stdout
}
