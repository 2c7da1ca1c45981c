// A relay that can be handed over to a child of its own, which is this program again. A child is asked through its parents.
import { type ChildProcess, fork } from 'node:child_process'
import { connect } from 'node:net'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { createRelay, type Relay, type RelayOptions, type RelayState } from '../../dist/index.js'
import { addressOf } from '../support.js'
import { serveParent } from './serve-parent.js'

/** What the program does wrong as a successor. */
type Fault = 'silent' | 'dies_at_state' | 'dies_at_sockets' | 'other_version'
export interface HandoverOptions extends Omit<RelayOptions, 'storage' | 'admission'> {
  successor?: boolean
  fault?: Fault
  /** The process is killed, as by `kill -9`, when it has sent a message of this kind ('ready': has heard). */
  killedAfter?: string
  /** A port of the test's: there a successor says how its start went, and lives until that connection ends instead of its parent. */
  reportTo?: number
  /** Every player is let in, after so long. */
  admitAfterMs?: number
}
const {
  successor = false,
  fault,
  killedAfter,
  reportTo,
  admitAfterMs,
  ...options
} = JSON.parse(process.argv[2] ?? '{}') as HandoverOptions
const MARK = 'sallyport-relay-handover'

let child: ChildProcess | undefined
let ended = 0
const asked = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>()
let lastId = 0

const relay: Relay = createRelay({
  dataPort: 0,
  ...options,
  ...(successor ? { predecessor: process } : {}),
  ...(admitAfterMs === undefined
    ? {}
    : { admission: { decide: () => setTimeout(admitAfterMs, true), otherwise: 'deny', timeoutMs: 10_000 } }),
})
relay.on('connection', ({ phase }) => {
  if (phase === 'close') ended += 1
})
if (fault === 'dies_at_state' || fault === 'dies_at_sockets') {
  const fatal = fault === 'dies_at_state' ? 'state' : 'socket'
  process.on('message', ({ kind }: { kind?: string }) => {
    if (kind === fatal) process.kill(process.pid, 'SIGKILL')
  })
}
if (fault === 'other_version') process.send?.({ mark: MARK, version: 99, kind: 'ask', body: null })
const started = fault === 'silent' || fault === 'other_version' ? Promise.resolve() : relay.start()
if (!successor) await started

function heir(): ChildProcess {
  if (child === undefined) throw new Error('there is no child')
  return child
}

function dieAfter(child: ChildProcess, fatal: string): void {
  const send = child.send.bind(child) as (message: { kind?: string }, ...rest: unknown[]) => boolean
  child.send = (message: { kind?: string }, ...rest: unknown[]) => {
    const sent = send(message, ...rest)
    if (message.kind === fatal) process.kill(process.pid, 'SIGKILL')
    return sent
  }
  child.on('message', ({ kind }: { kind?: string }) => {
    if (kind === fatal) process.kill(process.pid, 'SIGKILL')
  })
}

function report(port: number): void {
  const test = connect(port, '127.0.0.1')
  test.on('error', () => {}).on('close', () => process.exit(0))
  void started.then(
    () => test.write('serves'),
    ({ code }: { code?: string }) => test.write(code ?? 'another error'),
  )
}

const methods = {
  started: () => started,
  apply: (state: RelayState) => relay.apply(state),
  status: () => relay.status(),
  traffic: () => relay.traffic(),
  devices: () => relay.devices(),
  epoch: () => relay.epoch,
  ended: () => ended,
  disconnectDevice: (device: string) => relay.disconnectDevice(device),
  address: (device: string) => addressOf(relay, device),
  handOver: async (more: object = {}, timeoutMs = 8_000) => {
    const heirOptions = JSON.stringify({ ...options, admitAfterMs, ...more, successor: true })
    child = fork(fileURLToPath(import.meta.url), [heirOptions], { env: { PATH: process.env['PATH'] } })
    child.on('message', ({ id, value, error }: { id?: number; value?: unknown; error?: string }) => {
      const call = id === undefined ? undefined : asked.get(id)
      if (error === undefined) call?.resolve(value)
      else call?.reject(new Error(error))
    })
    if (killedAfter !== undefined) dieAfter(child, killedAfter)
    await relay.handOver(child, { timeoutMs })
  },
  heir: (method: string, ...args: unknown[]) =>
    new Promise((resolve, reject) => {
      lastId += 1
      asked.set(lastId, { resolve, reject })
      heir().send({ id: lastId, method, args })
    }),
  killHeir: () => heir().kill('SIGKILL'),
  stop: (graceMs: number) => relay.stop({ graceMs }),
}
if (reportTo === undefined) serveParent(methods)
else report(reportTo)
