// Runs every built test with tap and closes with one line that counts them. Arguments are passed on to tap:
// npm test -- packages/core/dist-test/kernel/scope.test.js
import { spawn } from 'node:child_process'
import { chmodSync, createReadStream, mkdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Parser } from 'tap-parser'

const mostNamed = 100
const longestName = 300

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const results = join(root, '.tap', 'results.tap')
mkdirSync(dirname(results), { recursive: true })

const files = process.argv.slice(2)
if (files.length === 0 || files.some((file) => file.includes('integration'))) await makeEmptyDatabase()

const tap = join(root, 'node_modules', '.bin', 'tap')
const args = [`--output-file=${results}`, '--reporter=terse', ...files]
const child = spawn(tap, args, { cwd: root, stdio: 'inherit' })
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal))

child.on('error', (error) => {
  console.error(`tap could not be started: ${error.message}`)
  process.exitCode = 1
})
child.on('exit', async (code, signal) => {
  const { passed, failed, skipped } = await count()
  for (const line of skipped) console.log(`skipped: ${line}`)
  for (const line of failed.slice(0, mostNamed)) console.log(`failed: ${line.slice(0, longestName)}`)
  console.log(`${passed} passed, ${failed.length} failed, ${skipped.length} skipped`)
  process.exitCode = signal || passed + failed.length === 0 ? 1 : (code ?? 1)
})

/** Every panel of an integration test begins with one. Making its files takes seconds, copying them a tenth of one. */
async function makeEmptyDatabase() {
  const database = join(root, '.tap', 'database')
  rmSync(database, { recursive: true, force: true })
  const { createDatabaseFiles } = await import('../packages/core/dist/database/embedded-create.js')
  await createDatabaseFiles(database)
  chmodSync(database, 0o700)
  process.env.SALLYPORT_TEST_DATABASE = database
}

/** Counts the assertions in the TAP stream, without the lines that sum up a subtest; skips and failures are listed. */
async function count() {
  const skipped = []
  const failed = []
  let passed = 0
  const watch = (parser, path) => {
    let sumsUp = false
    parser.on('child', (inner) => {
      sumsUp = true
      watch(inner, [...path, inner.name])
    })
    parser.on('assert', (result) => {
      const isSum = sumsUp && result.ok
      sumsUp = false
      if (isSum) return
      const name = [...path, result.name].filter(Boolean).join(' > ')
      if (result.skip) skipped.push(`${name} (${result.skip})`)
      else if (result.ok || result.todo) passed += 1
      else failed.push(name)
    })
  }
  const parser = new Parser()
  watch(parser, [])
  await new Promise((resolve) => createReadStream(results).on('error', resolve).pipe(parser).on('complete', resolve))
  return { passed, failed, skipped }
}
