// npm run bench [-- NAME…] [--json] [--quick]: the data plane's figures, each beside direct, nginx over two hops and what else is
// there, in the same run. What counts are the ratios, pair by pair: absolute figures differ from machine to machine.
import { existsSync } from 'node:fs'
import { loadavg } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { measures } from './data-plane/measures.mjs'
import { printTable } from './data-plane/table.mjs'
import { createStage } from './stage.mjs'

const help = `npm run bench [-- NAME…] [--json] [--quick] [--relay FILE] [--connections N]

${Object.entries(measures)
  .map(([name, { about }]) => `  ${name.padEnd(12)} ${about}`)
  .join('\n')}
  auth, gateway: signing in, and a panel with many agents; see bench/auth.mjs and bench/gateway.mjs
  start: how long the command takes to be there; see bench/start.mjs

  --json           all of it as JSON on standard output
  --quick          short and rough: that it works, not how fast
  --relay FILE     another build's entry (packages/relay/dist/index.js) instead of this one's
  --connections N  of churn; default 1,000,000, as many as fit into five minutes
  --sources N      of spoofed; default 1,000,000`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
    relay: { type: 'string' },
    connections: { type: 'string' },
    sources: { type: 'string' },
  },
})
if (values.help) {
  console.log(help)
  process.exit()
}
const names = positionals.length > 0 ? positionals : Object.keys(measures)
const unknown = names.find((name) => !Object.hasOwn(measures, name))
if (unknown !== undefined) {
  console.error(`There is no measure ${unknown}.\n\n${help}`)
  process.exit(2)
}

const { quick } = values
const module = values.relay
  ? new URL(values.relay, `file://${process.cwd()}/`).href
  : import.meta.resolve('@sallyport/relay')
if (!existsSync(fileURLToPath(module))) {
  console.error(`There is no ${fileURLToPath(module)}; npm run build makes it.`)
  process.exit(2)
}
const count = (given, usual) => Number(given ?? (quick ? usual / 50 : usual))
const skipped = new Set()
const skip = (what, why) => {
  if (!interrupted) skipped.add(`${what}: ${why}`)
}
const loadBefore = loadavg()
const results = []
let stage = createStage()
let interrupted = false
// What was running fails then, and what was measured before is still told.
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    interrupted = true
    stage.close()
  })
}

for (const name of names) {
  if (interrupted) break
  stage = createStage()
  const { run, limitSeconds = 120 } = measures[name]
  const start = performance.now()
  process.stderr.write(`${name} … `)
  let timer
  try {
    const late = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error(`not done after ${limitSeconds} s`)), limitSeconds * 1_000)
    })
    const connections = count(values.connections, 1_000_000)
    const context = { stage, quick, module, skip, connections, sources: count(values.sources, 1_000_000) }
    const running = run(context)
    running.catch(() => undefined)
    for (const row of await Promise.race([running, late])) results.push({ measure: name, ...row })
  } catch (error) {
    if (!interrupted) results.push({ measure: name, title: name, failed: error.message })
  } finally {
    clearTimeout(timer)
    await stage.close()
  }
  const took = (performance.now() - start) / 1_000
  process.stderr.write(`${took.toFixed(0)} s\n`)
}

const about = { node: process.version, loadBefore, loadAfter: loadavg(), quick, skipped: [...skipped] }
if (values.json) console.log(JSON.stringify({ ...about, results }, undefined, 2))
else printTable(results, about)
process.exit(interrupted ? 130 : results.some(({ failed }) => failed) ? 1 : 0)
