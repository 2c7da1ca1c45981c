import { fork } from 'node:child_process'
import { once } from 'node:events'
import type { Test } from 'tap'
import type { session } from '../../dist/index.js'
import { type Call, createClient } from './client.js'

/** What a panel in another process is told; JSON. */
export interface PanelProcessOptions {
  /** A Postgres server that it shares with the other panels of the test. */
  readonly databaseUrl: string
  readonly redisUrl?: string
  readonly session?: Parameters<typeof session>[0]
  /** Beside `session()`: the public entry's factories by name, each with its configuration, such as `{ twoFactor: {} }`. */
  readonly strategies?: Readonly<Record<string, object>>
  readonly publicUrl?: string
  /** Of a mail server; left out, mail is lost in the log. */
  readonly smtpUrl?: string
  readonly secretKeys?: readonly string[]
}

export interface PanelProcess {
  readonly pid: number
  readonly url: string
  readonly call: Call
}

/** What the process answers. */
export type PanelProcessMessage = { readonly url: string } | { readonly error: string }

const startTimeoutMs = 60_000

/** The same panel as `startPanel`'s, on the built-in directory, in a process of its own; killed when the test ends. */
export async function startPanelProcess(t: Test, options: PanelProcessOptions): Promise<PanelProcess> {
  const child = fork(new URL('panel-process-main.js', import.meta.url), { stdio: 'ignore' })
  const exited = once(child, 'exit')
  t.teardown(async () => {
    child.kill('SIGKILL')
    await exited
  })
  const signal = AbortSignal.timeout(startTimeoutMs)
  const ended = exited.then(([code]) => ({ error: `it ended with ${code}` }))
  child.send(options)
  const answer = once(child, 'message', { signal }).then(([message]) => message as PanelProcessMessage)
  const message = await Promise.race([answer, ended])
  if ('error' in message) {
    // Its rejection, when the time is over, is nobody's any more.
    answer.catch(() => undefined)
    throw new Error(`the panel's process did not start: ${message.error}`)
  }
  return { pid: child.pid as number, url: message.url, call: createClient(message.url) }
}
