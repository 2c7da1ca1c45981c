import { fork } from 'node:child_process'
import { once } from 'node:events'
import { message } from '../auth/children.mjs'

/** Starts processes of `bench/processes`, and ends them, and what else was opened. */
export function createScene() {
  const disposers = []
  const start = async (file, { env = {}, execArgv = ['--expose-gc'] } = {}) => {
    const url = new URL(`../processes/${file}`, import.meta.url)
    const child = fork(url, [], { stdio: ['ignore', 'ignore', 2, 'ipc'], execArgv, env: { ...process.env, ...env } })
    disposers.push(() => kill(child, 'SIGTERM'))
    const greeting = await message(child, file === 'gateway-agents.mjs' ? 'ready' : 'port')
    return { child, ...greeting }
  }
  return {
    start,
    panel: (config) =>
      start('gateway-panel.mjs', { env: { LOG_LEVEL: 'silent', BENCH_PANEL: JSON.stringify(config) } }),
    /** Something with `Symbol.asyncDispose`. */
    use(resource) {
      disposers.push(() => resource[Symbol.asyncDispose]())
      return resource
    },
    async close() {
      for (const dispose of disposers.reverse()) await dispose()
    },
  }
}

export async function kill(child, signal) {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill(signal)
  const late = setTimeout(() => child.kill('SIGKILL'), 10_000)
  await exited
  clearTimeout(late)
}

export const ask = message
