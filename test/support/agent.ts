import { join } from 'node:path'
import type { Test } from 'tap'
import type { Api } from './api.js'
import { until } from './deadline.js'
import { type Program, root, startProgram } from './program.js'

export const cliFile: string = join(root, 'packages/relay/bin/sallyport.js')

export function sallyport(t: Test, args: readonly string[], env: Readonly<Record<string, string>> = {}): Program {
  const program = startProgram(process.execPath, [cliFile, ...args], { env })
  t.teardown(() => program.stop('SIGKILL'))
  return program
}

/** Enrols an agent as a person would: reads the code that it prints and approves it. */
export async function enroll(t: Test, url: string, admin: Api, config: string): Promise<void> {
  const program = sallyport(t, ['enroll', '--panel', url, '--name', 'home-server', '--config', config])
  const [userCode] = await program.line(/\b[A-Z0-9]{4}-[A-Z0-9]{4}\b/)
  await admin.ok('POST', '/api/tunnel/device/approve', { userCode })
  const { code } = await program.exited
  if (code !== 0) throw new Error(`enroll ended with ${code}: ${program.stderr}`)
}

export interface Allocation {
  readonly id: number
  readonly port: number
  readonly host: string
  readonly deviceId: string
  readonly protocol: 'tcp' | 'udp'
  readonly localPort: number
  readonly status: string
  readonly traffic: { bytesIn: number; bytesOut: number; connections: number; open: number }
}

export async function allocations(admin: Api): Promise<Allocation[]> {
  const answer = await admin.ok<{ allocations: Allocation[] }>('GET', '/api/tunnel/allocations')
  return answer.allocations
}

/** Runs an agent with one tunnel and waits until a player could come. */
export async function runAgent(
  t: Test,
  admin: Api,
  config: string,
  localPort: number,
  protocol: 'tcp' | 'udp' | 'both' = 'tcp',
): Promise<{ program: Program; tunnels: Allocation[] }> {
  const program = sallyport(t, ['run', '--config', config, '--local-port', String(localPort), '--protocol', protocol])
  const wanted = protocol === 'both' ? 2 : 1
  const tunnels = await until('the tunnel', async () => {
    const mine = (await allocations(admin)).filter((allocation) => allocation.localPort === localPort)
    return mine.length === wanted && (await isOnline(admin)) ? mine : undefined
  })
  return { program, tunnels }
}

/** Whether an agent is connected to the panel. */
export async function isOnline(admin: Api): Promise<boolean> {
  const { devices } = await admin.ok<{ devices: { kind: string; online: boolean }[] }>('GET', '/api/tunnel/devices')
  return devices.some(({ kind, online }) => kind === 'client' && online)
}
