#!/usr/bin/env node
/** What is still open when a command is done (a kept-alive connection) may not hold the process longer than this. */
const LINGER_MS = 1_000

const stop = new AbortController()
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  // More than one may come (npm hands on what the process group got as well); stopping is bounded in time by itself.
  process.on(name, () => stop.abort(name))
}
// A reader that has gone (`sallyport allocations | head -1`) is no failure.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})

const { stdin, stdout, stderr, env } = process
try {
  // After the handlers: a signal that comes early is heard.
  const { runCli } = await import('./program.js')
  const { commandName } = await import('./command-name.js')
  const name = commandName(process.argv[1])
  process.exitCode = await runCli({
    args: process.argv.slice(2),
    name,
    env,
    stdin,
    stdout,
    stderr,
    signal: stop.signal,
  })
} catch (error) {
  const verbose = process.argv.includes('--verbose')
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error))
  stderr.write(`internal error: ${verbose ? stack : `${name}: ${message}`}\n`)
  process.exitCode = 1
}
setTimeout(() => process.exit(), LINGER_MS).unref()

export {}
