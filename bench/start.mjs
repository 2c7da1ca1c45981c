// npm run bench -- start [--json] [--quick]: how long the command takes to be there, installed and as one file, against an empty
// program of Node's. What counts is the difference, pair by pair.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { WebSocketServer } from 'ws'
import { median } from './median.mjs'

/** Of the whole, Node included. */
const GOAL_MS = 300
const ROUNDS = 25

const { values } = parseArgs({
  allowPositionals: true,
  options: { json: { type: 'boolean', default: false }, quick: { type: 'boolean', default: false } },
})
const folder = fileURLToPath(new URL('../packages/relay/', import.meta.url))
const programs = { installed: join(folder, 'bin/sallyport.js'), 'one file': join(folder, 'dist/sallyport.mjs') }
for (const file of [...Object.values(programs), join(folder, 'dist/cli/main.js')]) {
  if (existsSync(file)) continue
  console.error(`There is no ${file}; npm run build:all makes it.`)
  process.exit(2)
}

const home = await mkdtemp(join(tmpdir(), 'sallyport-bench-'))
const panel = await startPanel()
const env = {
  PATH: process.env.PATH,
  HOME: home,
  SALLYPORT_TOKEN: 'header.payload.signature',
  SALLYPORT_PANEL: panel.url,
}
const measures = {
  'node -e 0': () => toEnd(['-e', '0']),
  ...Object.fromEntries(
    Object.entries(programs).flatMap(([name, file]) => [
      [`${name}: --version`, () => toEnd([file, '--version'])],
      [`${name}: --help`, () => toEnd([file, '--help'])],
      [`${name}: run, until connected`, () => toLine([file, 'run'], /^connected to /m)],
    ]),
  ),
}
const names = Object.keys(measures)
const samples = Object.fromEntries(names.map((name) => [name, []]))
for (const name of names) await measures[name]()
for (let round = 0; round < (values.quick ? 5 : ROUNDS); round += 1) {
  for (const name of names) samples[name].push(await measures[name]())
}
panel.close()
await rm(home, { recursive: true, force: true })

const [bare] = names
const results = names.map((name) => {
  const ms = median(samples[name])
  const ratio = median(samples[name].map((value, index) => value / samples[bare][index]))
  return { name, ms: Number(ms.toFixed(0)), ratio: Number(ratio.toFixed(2)), met: ms < GOAL_MS }
})
if (values.json) console.log(JSON.stringify({ node: process.version, goalMs: GOAL_MS, results }, undefined, 2))
else {
  const width = Math.max(...names.map(({ length }) => length))
  for (const { name, ms, ratio, met } of results) {
    const figures = `${String(ms).padStart(5)} ms  ${ratio.toFixed(2).padStart(5)} × node`
    console.log(`${name.padEnd(width)}  ${figures}  < ${GOAL_MS} ms: ${met ? 'yes' : 'NO'}`)
  }
}

function toEnd(args) {
  return timed(args, (child, done) => child.on('close', done))
}

async function toLine(args, pattern) {
  return timed(args, (child, done) => {
    let text = ''
    child.stdout.setEncoding('utf8').on('data', (data) => {
      text += data
      if (pattern.test(text)) done()
    })
  })
}

/** Milliseconds until `watch` calls back; the program has ended when it resolves. */
async function timed(args, watch) {
  const begin = performance.now()
  const child = spawn(process.execPath, args, { env, cwd: home, stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = new Promise((resolve, reject) => child.on('close', resolve).on('error', reject))
  const ms = await Promise.race([
    new Promise((resolve) => watch(child, () => resolve(performance.now() - begin))),
    ended.then(() => new Promise((_, reject) => setImmediate(reject, new Error(`${args.join(' ')} ended too early`)))),
  ])
  child.kill('SIGKILL')
  await ended
  return ms
}

/** As much of a panel as an agent needs to be connected. */
async function startPanel() {
  const server = createServer((_request, response) =>
    response.setHeader('content-type', 'application/json').end('{"allocations":[]}'),
  )
  new WebSocketServer({ server }).on('connection', (socket) => {
    socket.on('error', () => {})
    socket.once('message', () => {
      const welcome = { type: 'welcome', protocol: 1, deviceId: 'd1', name: 'box', heartbeatMs: 5_000 }
      socket.send(JSON.stringify(welcome))
      socket.send(JSON.stringify({ type: 'state', revision: 1, allocations: [], relays: [] }))
    })
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    close: () => server.closeAllConnections() ?? server.close(),
  }
}
