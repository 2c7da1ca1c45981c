// Runs every built test, several files at a time, and closes with one line that counts the assertions. Some files only:
// npm test -- packages/core/dist-test/kernel/scope.test.js
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { inspect } from 'node:util'
import { runTestFile } from './test-file.mjs'

/** More than there are processors: tests wait for timeouts and for other processes. Each may take half a gigabyte. */
const atOnce = Math.min(8, Math.ceil(1.5 * availableParallelism()))
const mostNamed = 100
const longestName = 300
const longestReason = 3_000

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const results = join(root, '.tap', 'results.tap')
const timings = join(root, '.tap', 'timings.json')
mkdirSync(dirname(results), { recursive: true })

const given = process.argv.slice(2)
const files = given.length > 0 ? given.map((path) => relative(root, resolve(path))) : slowestFirst(findTests())
const missing = files.filter((file) => !existsSync(join(root, file)))
if (missing.length > 0) {
  console.error(`There is no ${missing.join(', ')}. Arguments are built test files.`)
  process.exit(1)
}
if (files.some((file) => file.includes('integration'))) await makeEmptyDatabase()

const stopping = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => stopping.abort())
const done = []
const waiting = [...files]
await Promise.all(Array.from({ length: atOnce }, (_, slot) => runNext(slot)))
report()

/** @param slot of the files that run at one time each has another: public ports of their own */
async function runNext(slot) {
  for (let file = waiting.shift(); file !== undefined && !stopping.signal.aborted; file = waiting.shift()) {
    const result = await runTestFile(file, root, slot, stopping.signal)
    done.push(result)
    console.log(`${(result.ms / 1_000).toFixed(1).padStart(6)} s  ${result.failed.length > 0 ? 'FAILED ' : ''}${file}`)
    for (const { name, reason, diag } of result.failed.slice(0, mostNamed)) {
      console.log(`  ${name.slice(0, longestName)}`)
      console.log((reason ?? explain(diag ?? {})).slice(0, longestReason).replace(/^/gm, '    '))
    }
  }
}

function explain({ diff, stack, source: _, ...rest }) {
  return [diff, stack, inspect(rest)].filter(Boolean).join('\n')
}

function findTests() {
  const projects = ['packages', 'examples'].flatMap((group) =>
    readdirSync(join(root, group)).map((name) => join(group, name)),
  )
  return ['.', ...projects]
    .map((project) => join(project, 'dist-test'))
    .filter((directory) => existsSync(join(root, directory)))
    .flatMap((directory) =>
      readdirSync(join(root, directory), { recursive: true })
        .filter((path) => path.endsWith('.test.js'))
        .map((path) => join(directory, path)),
    )
}

/** By the last run here; in a fresh checkout those with whole panels, which come first as it is. */
function slowestFirst(found) {
  const known = existsSync(timings) ? JSON.parse(readFileSync(timings, 'utf8')) : {}
  return found.sort((one, other) => (known[other] ?? 0) - (known[one] ?? 0))
}

function report() {
  const all = (key) => done.flatMap((result) => result[key])
  const skipped = all('skipped')
  const failed = all('failed')
  const passed = done.reduce((sum, result) => sum + result.passed, 0)
  writeFileSync(results, ['TAP version 14', ...done.map(toSubtest), `1..${done.length}`].join('\n').concat('\n'))
  if (given.length === 0 && !stopping.signal.aborted)
    writeFileSync(timings, JSON.stringify(Object.fromEntries(done.map(({ file, ms }) => [file, ms]))))
  for (const { name, reason } of skipped) console.log(`skipped: ${name} (${reason})`)
  for (const { name } of failed.slice(0, mostNamed)) console.log(`failed: ${name.slice(0, longestName)}`)
  console.log(`${passed} passed, ${failed.length} failed, ${skipped.length} skipped`)
  const complete = !stopping.signal.aborted && passed + failed.length > 0
  process.exitCode = complete && failed.length === 0 ? 0 : 1
}

function toSubtest({ file, tap, failed, ms }, index) {
  const body = tap.trimEnd().replace(/^/gm, '    ')
  return `# Subtest: ${file}\n${body}\n${failed.length > 0 ? 'not ok' : 'ok'} ${index + 1} - ${file} # time=${ms}ms`
}

/** Every panel of an integration test begins with one. Making its files takes seconds, copying them a tenth of one. */
async function makeEmptyDatabase() {
  const database = join(root, '.tap', 'database')
  rmSync(database, { recursive: true, force: true })
  const { createDatabaseFiles } = await import('../packages/core/dist/database/embedded-create.js')
  await createDatabaseFiles(database)
  chmodSync(database, 0o700)
  process.env.SALLYPORT_TEST_DATABASE = database
}
