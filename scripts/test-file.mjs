// One test file, in a process of its own, as TAP. Without tap's command line, which sends every import of every process
// through a loader and takes two more seconds for each file.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Parser } from 'tap-parser'

/** What a test file may take; its tests end themselves before, and say which of them did not. */
const fileSeconds = 240
const killAfterMs = 300_000
/** What does not end says by a report of Node's what it waits for. */
const reportMs = 5_000
const reportSignal = 'SIGUSR2'
/** tap lists what is still open when it gets SIGALRM. */
const listAfterAlarmMs = 5_000
/** Processes that the file has left behind may hold its output open for so long. */
const outputAfterExitMs = 5_000

const flags = [
  '--enable-source-maps',
  // Most files start a database or several: to optimise its code takes longer than the test does.
  '--liftoff-only',
  '--report-on-signal',
  `--report-signal=${reportSignal}`,
  '--report-compact',
  '--report-exclude-network',
]

/**
 * @param file below `root`
 * @param slot told to the file
 * @param signal ends it
 * @returns its TAP, and what it asserted: without the lines that sum up a subtest
 */
export async function runTestFile(file, root, slot, signal) {
  const result = { file, tap: '', passed: 0, failed: [], skipped: [], ms: 0 }
  const begin = performance.now()
  const report = join(root, '.tap', `report-${slot}.json`)
  const [program, ...args] = [...ownNetwork(file), process.execPath, ...flags, `--report-filename=${report}`, file]
  const child = spawn(program, args, {
    cwd: root,
    env: { ...process.env, TAP: '1', TAP_TIMEOUT: String(fileSeconds), SALLYPORT_TEST_SLOT: String(slot) },
    stdio: ['ignore', 'pipe', 'inherit'],
    signal,
  })
  const asked = setTimeout(() => child.kill(reportSignal), killAfterMs)
  const alarm = setTimeout(() => child.kill('SIGALRM'), killAfterMs + reportMs)
  const kill = setTimeout(() => child.kill('SIGKILL'), killAfterMs + reportMs + listAfterAlarmMs)
  const parser = new Parser()
  watch(parser, [file], result)
  const parsed = new Promise((resolve) => parser.on('complete', resolve))
  child.stdout.setEncoding('utf8').on('data', (text) => {
    result.tap += text
    parser.write(text)
  })
  let outlived
  const ending = await new Promise((resolve) => {
    child.on('error', (error) => resolve(error.message))
    child.on('exit', () => {
      outlived = setTimeout(
        () => child.stdout.destroy(new Error('a process that it started outlives it')),
        outputAfterExitMs,
      )
    })
    child.stdout.on('error', (error) => resolve(error.message))
    child.on('close', (code, by) => resolve(code === 0 ? '' : by ? `killed by ${by}` : `exit code ${code}`))
  })
  clearTimeout(outlived)
  clearTimeout(asked)
  clearTimeout(alarm)
  clearTimeout(kill)
  parser.end()
  const { ok, plan } = await parsed
  result.ms = performance.now() - begin
  const open = waitedFor(report)
  if (result.failed.length > 0 && open.length === 0) return result
  // Of nothing at all the parser makes a plan to skip everything.
  const isTap = result.tap.includes('TAP version')
  if (plan.skipAll && !ending && isTap) result.skipped.push({ name: file, reason: plan.skipReason })
  else if (ending || !ok || !isTap)
    result.failed.push({ name: file, reason: [ending || 'no valid TAP', ...open].join('\n') })
  return result
}

/**
 * What a test in a folder `network` makes, interfaces and routes, is made in a network of its own, where the system lets us:
 * to a browser of another test it would be its network that changes.
 */
function ownNetwork(file) {
  const loopback = 'ip link set lo up'
  if (!dirname(file).endsWith('/network') || spawnSync('unshare', ['--net', 'sh', '-c', loopback]).status !== 0)
    return []
  return ['unshare', '--net', 'sh', '-c', `${loopback} && exec "$@"`, 'sh']
}

/** What a process that was asked for a report did or waited for, a line each. */
function waitedFor(report) {
  if (!existsSync(report)) return []
  try {
    const { javascriptStack, libuv } = JSON.parse(readFileSync(report, 'utf8'))
    const open = libuv.filter((handle) => handle.is_active && handle.is_referenced)
    return [...(javascriptStack.stack ?? []), ...open.map((handle) => JSON.stringify(handle))]
  } catch (error) {
    return [`its report cannot be read: ${error.message}`]
  } finally {
    rmSync(report, { force: true })
  }
}

function watch(parser, path, result) {
  let sumsUp = false
  let failedBefore = 0
  parser.on('child', (inner) => {
    sumsUp = true
    failedBefore = result.failed.length
    watch(inner, [...path, inner.name], result)
  })
  parser.on('assert', ({ ok, todo, skip, name: own, diag }) => {
    const isSum = sumsUp
    sumsUp = false
    if (isSum && (ok || result.failed.length > failedBefore)) return
    const name = [...path, own].filter(Boolean).join(' > ')
    if (skip) result.skipped.push({ name, reason: skip })
    else if (ok || todo) result.passed += 1
    else result.failed.push({ name, diag })
  })
}
