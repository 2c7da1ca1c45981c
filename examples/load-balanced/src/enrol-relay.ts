import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'

export interface EnrolOptions {
  /** Where the panels are reached. */
  readonly panel: string
  /** Where the panels are, as the relay itself reaches them. */
  readonly panelForRelay: string
  readonly email: string
  readonly password: string
  /** The configuration that `sallyport relay --config` reads, mode 0600. */
  readonly file: string
}

const name = 'relay'
const requestTimeoutMs = 10_000
const retryMs = 500
const deadlineMs = 60_000

/**
 * Makes the relay a device of the panel, unless it is one: what `sallyport enroll --kind server` and an administrator do by hand.
 * Gives whether it was made.
 */
export async function enrolRelay({ panel, panelForRelay, email, password, file }: EnrolOptions): Promise<boolean> {
  if (existsSync(file)) return false
  const { token: session, twoFactorRequired } = await call<{ token?: string; twoFactorRequired?: boolean }>(
    ...([panel, 'POST', '/api/auth/login', { email, password }] as const),
  )
  if (session === undefined || twoFactorRequired) {
    throw new Error(
      `${email} has a second factor: enrol the relay by hand, sallyport enroll --kind server --config ${file}`,
    )
  }
  const started = await call<{ deviceCode: string; userCode: string }>(
    ...([panel, 'POST', '/api/tunnel/device/start', { name, kind: 'server' }, session] as const),
  )
  const { device } = await call<{ device: { id: string } }>(
    ...([panel, 'POST', '/api/tunnel/device/approve', { userCode: started.userCode }, session] as const),
  )
  const { token } = await call<{ token: string }>(
    panel,
    'GET',
    `/api/tunnel/device/poll?deviceCode=${started.deviceCode}`,
  )
  await call(panel, 'POST', '/api/auth/logout', undefined, session)
  const config = { panel: panelForRelay, token, deviceId: device.id, name, kind: 'server' }
  await writeFile(file, `${JSON.stringify(config, undefined, 2)}\n`, { mode: 0o600, flag: 'wx' })
  return true
}

/** Waits while panels are on their way. */
async function call<Answer>(
  panel: string,
  method: string,
  path: string,
  body?: object,
  token?: string,
): Promise<Answer> {
  const end = performance.now() + deadlineMs
  for (;;) {
    const response = await attempt(panel, method, path, body, token)
    if (response?.ok) return (await response.json()) as Answer
    if (response && response.status < 500) {
      throw new Error(`${method} ${path} was answered ${response.status}: ${(await response.text()).slice(0, 500)}`)
    }
    if (performance.now() > end) throw new Error(`${panel} does not answer ${method} ${path}`)
    await delay(retryMs)
  }
}

async function attempt(
  panel: string,
  method: string,
  path: string,
  body?: object,
  token?: string,
): Promise<Response | undefined> {
  const headers: Record<string, string> = {}
  if (token !== undefined) headers['authorization'] = `Bearer ${token}`
  if (body !== undefined) headers['content-type'] = 'application/json'
  const signal = AbortSignal.timeout(requestTimeoutMs)
  return fetch(new URL(path, panel), { method, headers, signal, ...(body && { body: JSON.stringify(body) }) }).catch(
    () => undefined,
  )
}
