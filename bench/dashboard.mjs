// npm run bench -- dashboard [--json] [--quick]: how long a browser that has nothing of it takes until the dashboard can be used, against
// a page of one field from a bare server, pair by pair. Needs Chromium (on PATH, or its path in CHROMIUM).
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { chromium } from 'playwright-core'
import { findChromium } from '../packages/auth/dist-test/support/chromium.js'
import { median } from './median.mjs'

const GOAL_MS = 1_000
const ROUNDS = 15
const PASSWORD = 'correct horse battery staple'

const { values } = parseArgs({
  allowPositionals: true,
  options: { json: { type: 'boolean', default: false }, quick: { type: 'boolean', default: false } },
})
const executablePath = findChromium()
if (!executablePath) {
  console.error('There is no Chromium on PATH; CHROMIUM may name one.')
  process.exit(2)
}

const dataDir = await mkdtemp(join(tmpdir(), 'sallyport-bench-'))
const panel = await startPanel()
const bare = createServer((_request, response) => {
  response.setHeader('content-type', 'text/html')
  response.end('<!doctype html><title>Bare</title><main><input name="email"></main>')
}).listen(0)
const barePage = `http://localhost:${bare.address().port}`
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] })

const measures = {
  'bare page': () => opened(barePage, 'input[name=email]'),
  'sign-in': () => opened(panel.url, 'input[name=email]'),
  'overview, signed in': () => opened(panel.url, 'main h1', true),
  'tunnels, signed in': () => opened(`${panel.url}/tunnels`, 'main h1', true),
}
const names = Object.keys(measures)
const samples = Object.fromEntries(names.map((name) => [name, []]))
for (const name of names) await measures[name]()
for (let round = 0; round < (values.quick ? 3 : ROUNDS); round += 1) {
  for (const name of names) samples[name].push(await measures[name]())
}
await browser.close()
bare.close()
await panel.stop()
await rm(dataDir, { recursive: true, force: true })

const [baseline] = names
const results = names.map((name) => {
  const of = (key) => median(samples[name].map((sample) => sample[key]))
  const ratio = median(samples[name].map(({ ms }, index) => ms / samples[baseline][index].ms))
  const ms = of('ms')
  return {
    name,
    ms: Math.round(ms),
    ratio: Number(ratio.toFixed(2)),
    shift: Number(of('shift').toFixed(3)),
    met: ms < GOAL_MS,
  }
})
if (values.json) console.log(JSON.stringify({ node: process.version, goalMs: GOAL_MS, results }, undefined, 2))
else {
  for (const { name, ms, ratio, shift, met } of results) {
    const figures = `${String(ms).padStart(5)} ms  ${ratio.toFixed(2).padStart(5)} × bare page  layout shift ${shift.toFixed(3)}`
    console.log(`${name.padEnd(22)}${figures}  < ${GOAL_MS} ms: ${met ? 'yes' : 'NO'}`)
  }
}

/** From the address to a page that has `selector`, has been painted and answers, in a browser context without a cache. */
async function opened(url, selector, signedIn = false) {
  const context = await browser.newContext()
  if (signedIn) await context.request.post(`${panel.url}/api/auth/login`, { data: panel.admin })
  const page = await context.newPage()
  const begun = performance.now()
  await page.goto(url, { waitUntil: 'commit' })
  await page.locator(selector).waitFor()
  await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve))))
  const ms = performance.now() - begun
  const shift = await page.evaluate(
    () =>
      new Promise((resolve) => {
        const observer = new PerformanceObserver((list) =>
          resolve(list.getEntries().reduce((sum, { value }) => sum + value, 0)),
        )
        observer.observe({ type: 'layout-shift', buffered: true })
        setTimeout(() => resolve(0), 300)
      }),
  )
  await context.close()
  return { ms, shift }
}

async function startPanel() {
  const file = fileURLToPath(new URL('../examples/reference-server/dist/main.js', import.meta.url))
  const env = {
    PATH: process.env.PATH,
    PORT: '0',
    DATA_DIR: join(dataDir, 'data'),
    ADMIN_PASSWORD: PASSWORD,
    RELAY_EMBEDDED: 'false',
    LOG_LEVEL: 'warn',
  }
  const child = spawn(process.execPath, [file], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  const url = await new Promise((resolve, reject) => {
    let text = ''
    child.on('exit', () => reject(new Error('the panel did not start')))
    child.stdout.setEncoding('utf8').on('data', (data) => {
      text += data
      const [, found] = text.match(/^Sallyport ready at (\S+)/m) ?? []
      if (found) resolve(found)
    })
  })
  const stop = async () => {
    child.kill()
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  }
  return { url, admin: { email: 'admin@localhost', password: PASSWORD }, stop }
}
