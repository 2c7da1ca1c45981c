import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import type { Enrolled } from './enrol.js'

const program = fileURLToPath(new URL('../relay.js', import.meta.url))
const readyTimeoutMs = 20_000

export interface RelayProcess {
  readonly id: string
  readonly name: string
  readonly child: ChildProcess
  /** Resolves when the panel knows it. Rejects when it ends before, or does not come. */
  readonly ready: Promise<void>
  stop(signal?: NodeJS.Signals): Promise<void>
}

/** Starts a relay. It ends with this process too. */
export function startRelayProcess(
  panel: string,
  { id, token }: Enrolled,
  { name, region, tier }: { readonly name: string; readonly region: string; readonly tier: string },
): RelayProcess {
  const env = { ...process.env, PANEL: panel, DEVICE_ID: id, RELAY_TOKEN: token, REGION: region, TIER: tier }
  const child = spawn(process.execPath, [program], { env, stdio: ['ignore', 'pipe', 'inherit', 'ipc'] })
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const ready = async (): Promise<void> => {
    const connected = once(child.stdout as Readable, 'data', { signal: AbortSignal.timeout(readyTimeoutMs) })
    const early = ended.then(() => Promise.reject(new Error(`the relay ${name} ended`)))
    await Promise.race([connected, early])
  }
  return {
    ...{ id, name, child, ready: ready() },
    async stop(signal = 'SIGTERM') {
      child.kill(signal)
      await ended
    },
  }
}
