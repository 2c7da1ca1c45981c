// node bench/gateway.mjs [--json] [--agents N] [NAME…]: what a control plane with many agents costs. Everything is on loopback,
// in processes of its own, and with a baseline from the same run where one says something.
import { parseArgs } from 'node:util'
import { measures } from './gateway/measures.mjs'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'boolean', default: false },
    agents: { type: 'string', default: '10000' },
    /** How long agents are idle. */
    seconds: { type: 'string', default: '20' },
    revocations: { type: 'string', default: '200' },
    allocations: { type: 'string', default: '2000' },
  },
})
const names = positionals.length === 0 || positionals.includes('gateway') ? Object.keys(measures) : positionals
const unknown = names.find((name) => !(name in measures))
if (unknown !== undefined) {
  console.error(`There is no measure ${unknown}. There are: ${Object.keys(measures).join(', ')}`)
  process.exit(2)
}
const [agents, seconds, revocations, allocations] = [
  values.agents,
  values.seconds,
  values.revocations,
  values.allocations,
].map(Number)
assertOpenFiles(agents + 500)

const results = []
for (const name of names) {
  results.push({ name, ...(await measures[name]({ agents, seconds, revocations, allocations })) })
}
if (values.json) console.log(JSON.stringify(results, undefined, 2))
else for (const { name, unit, ...figures } of results) print(name, unit, figures)

function print(name, unit, figures) {
  const rounded = (value) => (typeof value === 'number' ? Number(value.toPrecision(3)) : JSON.stringify(value))
  const rows = Object.entries(figures).map(([key, value]) => [key, { [unit]: rounded(value) }])
  console.log(name)
  console.table(Object.fromEntries(rows))
}

/** Each agent is an open file of the panel's process. Node has raised its own limit as far as it may. */
function assertOpenFiles(needed) {
  const { soft } = process.report?.getReport().userLimits?.open_files ?? {}
  const limit = soft === 'unlimited' || soft === undefined ? Number.POSITIVE_INFINITY : Number(soft)
  if (limit >= needed) return
  console.error(
    `${agents} agents need ${needed} open files in one process, the limit is ${limit}: raise it (ulimit -n) or pass --agents`,
  )
  process.exit(2)
}
