// Runs a program of others and ends it, with whatever it started, when the benchmark ends in any way:
// node program.mjs COMMAND ARGUMENT…
import { spawn } from 'node:child_process'

/** For a program to end by itself, and its own children with it. */
const END_MS = 1_000

const [, , command, ...args] = process.argv
const program = spawn(command, args, { detached: true, stdio: ['ignore', 'ignore', 'pipe'] })
let said = ''
program.stderr.on('data', (data) => {
  said = (said + data).slice(-2_000)
})

let ending = false
const end = () => {
  if (ending) return
  ending = true
  program.kill('SIGTERM')
  setTimeout(() => process.kill(-program.pid, 'SIGKILL'), END_MS)
}
const say = (message) => {
  if (process.connected) process.send(message)
}
const ended = (why) => {
  if (!ending) say({ ended: `${command} ended (${why}): ${said.trim()}` })
  setImmediate(() => process.exit(ending ? 0 : 1))
}
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, end)
process.on('disconnect', end)
if (!process.connected) end()
program.once('error', ({ code }) => ended(code))
program.once('exit', (code, signal) => ended(code ?? signal))
program.once('spawn', () => say({ ready: { pid: program.pid } }))
