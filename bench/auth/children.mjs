import { fork } from 'node:child_process'
import { once } from 'node:events'

/** Starts processes of the benchmark, and ends them. */
export function createChildren() {
  const children = []
  return {
    /** @param file in `bench/processes`; what it prints to standard output is thrown away */
    start(file, { execArgv = [] } = {}) {
      const url = new URL(`../processes/${file}`, import.meta.url)
      const child = fork(url, [], { stdio: ['ignore', 'ignore', 2, 'ipc'], execArgv })
      children.push(child)
      return child
    },
    async close() {
      await Promise.all(
        children.map((child) => {
          if (child.exitCode !== null || child.signalCode !== null) return undefined
          child.kill('SIGTERM')
          return once(child, 'exit')
        }),
      )
    },
  }
}

/** The child's next message with `key`, after it has been sent `task` if there is one. */
export function message(child, key, task) {
  return new Promise((resolve, reject) => {
    const onMessage = (value) => {
      if (!(key in value)) return
      child.off('message', onMessage)
      child.off('exit', onExit)
      resolve(value)
    }
    const onExit = (code) => reject(new Error(`a process of the benchmark ended with ${code}`))
    child.on('message', onMessage)
    child.once('exit', onExit)
    if (task) child.send(task)
  })
}
