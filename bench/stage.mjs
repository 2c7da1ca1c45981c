import { fork } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const START_MS = 20_000
const END_MS = 5_000

/** The processes, directories and links of one measure. `close` ends all of them, in whatever state they are. */
export function createStage() {
  const children = []
  const directories = []
  let closed = false

  /** Runs processes/NAME.mjs. `inside` is the network namespace to run it in, if any. Gives it once it is ready. */
  async function start(name, args = [], { inside, execArgv = [] } = {}) {
    if (closed) throw new Error('interrupted')
    const file = new URL(`processes/${name}.mjs`, import.meta.url).pathname
    const enter = inside && { execPath: 'ip', execArgv: ['netns', 'exec', inside, process.execPath, ...execArgv] }
    // In groups of their own: a signal to the benchmark's ends it alone, and each of these ends when the benchmark has.
    const options = { execArgv, detached: true, stdio: ['ignore', 2, 2, 'ipc'], ...enter }
    const child = fork(file, args.map(text), options)
    const pending = new Map()
    const process_ = { pid: child.pid, ready: undefined, ask }
    children.push(child)
    let failure
    const fail = (why) => {
      failure ??= new Error(why)
      for (const { reject } of pending.values()) reject(failure)
      pending.clear()
    }
    const started = new Promise((resolve, reject) => pending.set('ready', { resolve, reject }))
    child.on('message', ({ ready, id, result, error, ended }) => {
      if (ended) return fail(ended)
      const key = ready ? 'ready' : id
      const waiting = pending.get(key)
      pending.delete(key)
      if (error) waiting?.reject(new Error(`${name}: ${error}`))
      else waiting?.resolve(ready ?? result)
    })
    child.on('error', ({ message }) => fail(`${name}: ${message}`))
    child.on('exit', (code, signal) => fail(`${name} ended with ${code ?? signal}`))
    let calls = 0
    function ask(call, argument) {
      if (failure) return Promise.reject(failure)
      const id = calls++
      return new Promise((resolve, reject) => {
        pending.set(id, { resolve, reject })
        child.send({ id, call, argument })
      })
    }
    const timer = setTimeout(() => fail(`${name} did not start in ${START_MS} ms`), START_MS)
    try {
      process_.ready = await started
    } finally {
      clearTimeout(timer)
    }
    return process_
  }

  /** Runs a program that is none of ours, in the foreground. */
  async function program(command, args, { inside } = {}) {
    const { ready, ...rest } = await start('program', [command, ...args], { inside })
    return { ...rest, pid: ready.pid }
  }

  async function directory() {
    const path = await mkdtemp(join(tmpdir(), 'sallyport-bench-'))
    directories.push(path)
    return path
  }

  async function close() {
    closed = true
    await Promise.all(children.map(end))
    await Promise.all(directories.map((path) => rm(path, { recursive: true, force: true })))
  }

  return { start, program, directory, close, freePort }
}

/** Each process ends when it is not connected any more. */
async function end(child) {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  if (child.connected) child.disconnect()
  const timer = setTimeout(() => child.kill('SIGKILL'), END_MS)
  await exited
  clearTimeout(timer)
}

const text = (value) => (typeof value === 'string' ? value : JSON.stringify(value))

/** For programs that can't be told to take any: free for TCP and UDP a moment ago. */
async function freePort() {
  const server = createServer().listen(0, '0.0.0.0')
  await once(server, 'listening')
  const { port } = server.address()
  const udp = createSocket('udp4')
  try {
    udp.bind(port)
    await once(udp, 'listening')
    return port
  } catch {
    return freePort()
  } finally {
    server.close()
    udp.close()
  }
}
