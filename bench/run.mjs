// npm run bench [-- --json] [-- NAME…]: each measure through the tunnel and direct, in turn, in the same run. What counts
// is the ratio, pair by pair: absolute figures differ from machine to machine and from minute to minute.
// `auth`, or one of its measures, measures signing in: see auth.mjs. `gateway`, or one of its measures, a panel with many
// agents: see gateway.mjs.
import { measures, median } from './measures.mjs'
import { setUp } from './setup.mjs'

if (process.argv.slice(2).some((argument) => argument.startsWith('auth'))) {
  await import('./auth.mjs')
  process.exit()
}

if (process.argv.slice(2).some((argument) => argument.startsWith('gateway'))) {
  await import('./gateway.mjs')
  process.exit()
}

const pairs = 5
const names = process.argv.slice(2).filter((argument) => !argument.startsWith('--'))
const unknown = names.find((name) => !(name in measures))
if (unknown) {
  console.error(`There is no measure ${unknown}. There are: ${Object.keys(measures).join(', ')}`)
  process.exit(2)
}

const { direct, tunnel, close } = await setUp()
const results = []
try {
  for (const name of names.length > 0 ? names : Object.keys(measures)) {
    const { unit, better, port, run } = measures[name]
    const samples = []
    await run(tunnel[port])
    for (let index = 0; index < pairs; index++) {
      const baseline = await run(direct[port])
      samples.push({ baseline, figure: await run(tunnel[port]) })
    }
    results.push({
      name,
      unit,
      better,
      direct: median(samples.map(({ baseline }) => baseline)),
      tunnel: median(samples.map(({ figure }) => figure)),
      ratio: median(samples.map(({ baseline, figure }) => figure / baseline)),
    })
  }
} finally {
  await close()
}

if (process.argv.includes('--json')) console.log(JSON.stringify(results, undefined, 2))
else {
  const rows = results.map(({ name, unit, direct, tunnel, ratio }) => [
    name,
    { direct: round(direct), tunnel: round(tunnel), 'tunnel/direct': round(ratio), unit },
  ])
  console.table(Object.fromEntries(rows))
}

function round(value) {
  return Number(value.toPrecision(3))
}
