import { type ConfigInput, type Plugin, Settings } from '@sallyport/core'
import { createTestKernel, type TestKernel, type TestKernelOptions } from '@sallyport/core/testing'
import { type Allocation, type Device, type TunnelConfig, tunnel } from '../../dist/index.js'
import { type TestUser, testUsers, userHeader } from './users.js'

export interface Answer<T> {
  readonly status: number
  readonly body: T
  readonly headers: Headers
}

// biome-ignore lint/suspicious/noExplicitAny: answers are looked at field by field
type Body = any

export interface Call {
  readonly as?: TestUser
  readonly token?: string
  readonly json?: unknown
}

export interface Enrolled {
  readonly id: string
  readonly token: string
  readonly userCode: string
  readonly deviceCode: string
}

export interface Panel {
  readonly kernel: TestKernel
  readonly url: string
  call<T = Body>(method: string, path: string, call?: Call): Promise<Answer<T>>
  /** Rejects when the log has an error in it. */
  stop(): Promise<void>
  /** Starts, approves and polls. */
  enrol(owner: TestUser, start?: object): Promise<Enrolled>
  allocate(device: Enrolled, request: object): Promise<Allocation>
  devices(as: TestUser): Promise<Device[]>
  allocations(as: TestUser): Promise<Allocation[]>
  setFeature(on: boolean): Promise<void>
  setQuotas(quotas: object): Promise<void>
}

/** For one answer: a test that waits for longer says where. */
const answerMs = 60_000
/** pino's level `error`. */
const faultLevel = 50

export const admin: TestUser = { id: 'admin', permissions: ['*'] }

export interface PanelOptions {
  readonly config?: ConfigInput<TunnelConfig>
  readonly plugins?: readonly Plugin[]
  readonly kernel?: TestKernelOptions
  /** Default: a free one. */
  readonly port?: number
}

const portsPerSlot = 1_250

/** Somewhere in the default range, so that test files that run at the same time seldom meet. */
export function somePorts(count: number): { from: number; to: number } {
  const slot = Number(process.env['SALLYPORT_TEST_SLOT'] ?? 0) % 8
  const from = 20_000 + slot * portsPerSlot + Math.floor(Math.random() * (portsPerSlot - count))
  return { from, to: from + count - 1 }
}

export async function startPanel({
  config = {},
  plugins = [],
  kernel: options = {},
  port = 0,
}: PanelOptions = {}): Promise<Panel> {
  const enrolment = { intervalSeconds: 0.02, startsPerMinute: 1_000, startsPerMinuteSignedIn: 1_000 }
  const plugin = tunnel({
    relay: { dataPort: 0 },
    portRange: somePorts(1_000),
    ...config,
    enrolment: { ...enrolment, ...config.enrolment },
  })
  const kernel = await createTestKernel({
    ...options,
    listen: false,
    plugins: [testUsers(), ...plugins, plugin],
  })
  const url = `http://127.0.0.1:${(await kernel.kernel.listen({ port })).port}`

  const panel: Panel = {
    kernel,
    url,
    async call(method, path, { as, token, json } = {}) {
      const headers: Record<string, string> = {
        // The panel may end an idle connection in the very moment in which it is used again.
        connection: 'close',
        ...(as ? userHeader(as) : {}),
        ...(token ? { authorization: `Bearer ${token}` } : {}),
      }
      const body = json === undefined ? {} : { body: JSON.stringify(json) }
      if (json !== undefined) headers['content-type'] = 'application/json'
      const response = await fetch(new URL(path, url), {
        method,
        headers,
        ...body,
        signal: AbortSignal.timeout(answerMs),
      })
      return { status: response.status, body: (await response.json()) as never, headers: response.headers }
    },
    async enrol(owner, start = {}) {
      const started = await panel.call('POST', '/api/tunnel/device/start', {
        as: owner,
        json: { name: 'box', ...start },
      })
      const { userCode, deviceCode } = must(started, 200)
      const approved = await panel.call('POST', '/api/tunnel/device/approve', { as: admin, json: { userCode } })
      const { device } = must(approved, 200)
      const { token } = must(await panel.call('GET', `/api/tunnel/device/poll?deviceCode=${deviceCode}`), 200)
      return { id: device.id, token, userCode, deviceCode }
    },
    async allocate(device, request) {
      const made = await panel.call('POST', '/api/tunnel/allocations', { token: device.token, json: request })
      return must(made, 201).allocation
    },
    devices: async (as) => must(await panel.call('GET', '/api/tunnel/devices', { as }), 200).devices,
    allocations: async (as) => must(await panel.call('GET', '/api/tunnel/allocations', { as }), 200).allocations,
    async setFeature(on) {
      await kernel.get(Settings).patch({ features: { tunnels: on } })
    },
    async setQuotas(quotas) {
      await kernel.get(Settings).patch({ quotas })
    },
    async stop() {
      await kernel.stop()
      const faults = kernel.log.lines.filter(({ level }) => level >= faultLevel)
      if (faults.length > 0) throw new Error(`the log has faults: ${JSON.stringify(faults)}`)
    },
  }
  return panel
}

function must({ status, body }: Answer<Body>, expected: number): Body {
  if (status !== expected) throw new Error(`answered ${status}, not ${expected}: ${JSON.stringify(body)}`)
  return body
}
