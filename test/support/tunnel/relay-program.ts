import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Test } from 'tap'
import { cliFile } from '../agent.js'
import { until } from '../deadline.js'
import { temporaryDirectory } from '../panel.js'
import { type Program, startProgram } from '../program.js'
import type { People } from '../sign-in-panel.js'
import { newDevice, relays, type TestDevice } from './devices.js'

export interface RelayProgram {
  readonly device: TestDevice
  readonly program: Program
  /** The same relay once more, with the state that it kept. */
  start(): Program
}

export interface RelayProgramOptions {
  /** What the relay dials. Default: the panel. */
  readonly panelUrl?: string
  readonly args?: readonly string[]
  /** Of Node, before the program. */
  readonly nodeArgs?: readonly string[]
  readonly organisationId?: string
}

/** A stand-alone relay, `sallyport relay` in a process of its own, that the panel knows to be online. */
export async function startRelayProgram(
  t: Test,
  panel: People & { readonly url: string },
  options: RelayProgramOptions = {},
): Promise<RelayProgram> {
  const { panelUrl = panel.url, args = [], nodeArgs = [], organisationId } = options
  const device = await newDevice(panel, { kind: 'server', ...(organisationId && { organisationId }) })
  const config = join(await temporaryDirectory(t), 'relay.json')
  const content = { panel: panelUrl, token: device.token, deviceId: device.id, name: 'relay' }
  await writeFile(config, JSON.stringify(content), { mode: 0o600 })
  const flags = ['--config', config, '--data-port', '0', '--public-host', 'localhost', ...args]
  const start = (): Program => {
    const program = startProgram(process.execPath, [...nodeArgs, cliFile, 'relay', ...flags])
    t.teardown(() => program.stop('SIGKILL'))
    return program
  }
  const program = start()
  await until('the relay', async () => {
    if (program.child.exitCode !== null) throw new Error(`it ended, saying: ${program.stdout}${program.stderr}`)
    return (await relays(panel)).find(({ id, online }) => id === device.id && online)
  })
  return { device, program, start }
}
