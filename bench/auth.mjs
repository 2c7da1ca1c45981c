// node bench/auth.mjs [--json] [--tries N] [--profile DIR] [NAME…]: what signing in costs. Each figure with its baseline
// from the same run: absolute figures differ from machine to machine and from minute to minute, ratios less.
import { parseArgs } from 'node:util'
import { createChildren, message } from './auth/children.mjs'
import { throughput } from './auth/throughput.mjs'
import { timing } from './auth/timing.mjs'

const bearer = (panel) => ({ authorization: `Bearer ${panel.token}` })
const measures = {
  'auth-session': (context) => throughput({ ...context, headers: bearer(context.panel) }),
  'auth-cookie': (context) => throughput({ ...context, headers: { cookie: `session=${context.panel.token}` } }),
  'auth-api-key': (context) =>
    context.panel.key === undefined
      ? undefined
      : throughput({ ...context, headers: { authorization: `ApiKey ${context.panel.key}` } }),
  'auth-timing': timing,
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'boolean', default: false },
    /** Of each kind, for `auth-timing`. */
    tries: { type: 'string', default: '2000' },
    pairs: { type: 'string', default: '9' },
    /** Length of one sample. */
    milliseconds: { type: 'string', default: '1000' },
    /** Where the panel's process writes a CPU profile. */
    profile: { type: 'string' },
  },
})
const names = positionals.length === 0 || positionals.includes('auth') ? Object.keys(measures) : positionals
const unknown = names.find((name) => !(name in measures))
if (unknown !== undefined) {
  console.error(`There is no measure ${unknown}. There are: ${Object.keys(measures).join(', ')}`)
  process.exit(2)
}

const results = []
for (const name of names) {
  const children = createChildren()
  try {
    const execArgv = values.profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${values.profile}`]
    const panelProcess = children.start('panel.mjs', { execArgv })
    const panel = await message(panelProcess, 'port')
    const load = children.start(name === 'auth-timing' ? 'sign-in-load.mjs' : 'http-load.mjs')
    await message(load, 'ready')
    const [tries, pairs, milliseconds] = [values.tries, values.pairs, values.milliseconds].map(Number)
    const result = await measures[name]({ panel, process: panelProcess, load, tries, pairs, milliseconds })
    if (result) results.push({ name, ...result })
    else console.error(`${name}: there is no such strategy in this checkout`)
  } finally {
    await children.close()
  }
}

if (values.json) console.log(JSON.stringify(results, undefined, 2))
else for (const { name, unit, ...figures } of results) print(name, unit, figures)

function print(name, unit, figures) {
  const rounded = Object.entries(figures).map(([key, value]) => [key, Number(value.toPrecision(4))])
  console.table({ [`${name}, ${unit}`]: Object.fromEntries(rounded) })
}
