import { stat } from 'node:fs/promises'
import type { CliContext } from '../context.js'
import { CliError, ExitCode } from '../exit.js'
import { wait } from '../wait.js'
import type { ServicePlaces } from './places.js'
import type { Systemctl } from './systemctl.js'

/** A relay hands over to its new version within this, or goes on as it is. */
const HANDOVER_TIMEOUT_MS = 45_000
/** Long enough for a panel's answer. */
const SETTLE_MS = 2_500
const LOOK_AGAIN_MS = 500

const ENDED: Record<string, string> = {
  '2': 'it does not take its arguments',
  '3': "not enrolled, or the panel refuses the token: enrol again with 'sallyport enroll --panel URL' and repeat this",
}

/** What an install has written that was not there like this. */
export interface Written {
  isNewConfig: boolean
  isNewProgram: boolean
  isNewUnit: boolean
}

/**
 * Starts the service, or brings a running one to what was just written: an agent starts anew, unless nothing is new to it, a relay hands its players on to the new
 * version. Throws CliError when it does not run then.
 */
export async function startService(
  context: CliContext,
  systemctl: Systemctl,
  places: ServicePlaces,
  written: Written,
): Promise<void> {
  const { output } = context
  const unit = `${places.name}.service`
  const before = await systemctl.show(unit, 'ActiveState', 'MainPID')
  const isRunning = before['ActiveState'] === 'active'
  if (isRunning && places.kind === 'server' && !written.isNewConfig) {
    await handOver(context, systemctl, unit, before['MainPID'] ?? '')
    if (!(await staysUp(context, systemctl, unit))) throw await notStarted(systemctl, places)
    if (written.isNewUnit) {
      const detail = `new arguments are in force after 'systemctl ${places.scope === 'user' ? '--user ' : ''}restart ${places.name}', which cuts its players`
      output.notice('restart_needed', detail)
    }
    return
  }
  if (isRunning && !Object.values(written).includes(true) && (await isUpToDate(systemctl, places))) {
    output.event('unchanged', 'nothing is new: it goes on as it is')
    return
  }
  const { ok } = await systemctl.run(isRunning ? 'restart' : 'start', unit)
  const stays = ok && (places.kind === 'client' || (await staysUp(context, systemctl, unit)))
  if (!stays) throw await notStarted(systemctl, places)
}

/** Not when an install before this one was broken off, or the owner has changed a file: then what runs is older than what it would be started from. */
async function isUpToDate(systemctl: Systemctl, { name, unit, program, config }: ServicePlaces): Promise<boolean> {
  const { ExecMainStartTimestamp = '' } = await systemctl.show(`${name}.service`, 'ExecMainStartTimestamp')
  const files = [unit, program, ...(config === undefined ? [] : [config])]
  const written = await Promise.all(files.map(async (path) => (await stat(path)).mtimeMs))
  // Told in whole seconds; what cannot be read as a time is none.
  return Math.max(...written) < Date.parse(ExecMainStartTimestamp) + 1_000
}

async function notStarted(systemctl: Systemctl, places: ServicePlaces): Promise<CliError> {
  const unit = `${places.name}.service`
  const { ExecMainStatus = '', Result = 'unknown' } = await systemctl.show(unit, 'ExecMainStatus', 'Result')
  const why = ENDED[ExecMainStatus] ?? `${Result}, exit code ${ExecMainStatus}`
  const log = `journalctl ${places.scope === 'user' ? '--user ' : ''}-u ${places.name} -e`
  const exitCode = ExecMainStatus === '3' ? ExitCode.notEnrolled : ExitCode.failure
  return new CliError(
    'not_started',
    `${places.name} is installed, but does not run (${why}); its log: ${log}`,
    exitCode,
  )
}

/** A relay is ready before the panel has judged its token; an agent is not. */
async function staysUp({ signal }: CliContext, systemctl: Systemctl, unit: string): Promise<boolean> {
  const deadline = performance.now() + SETTLE_MS
  for (;;) {
    const { ActiveState } = await systemctl.show(unit, 'ActiveState')
    if (ActiveState !== 'active') return false
    if (performance.now() > deadline) return true
    if (!(await wait(LOOK_AGAIN_MS, signal))) throw new CliError('cancelled', 'cancelled')
  }
}

/** The relay's main process changes when the new version serves. */
async function handOver(
  { output, signal }: CliContext,
  systemctl: Systemctl,
  unit: string,
  before: string,
): Promise<void> {
  await systemctl.must('reload', unit)
  const deadline = performance.now() + HANDOVER_TIMEOUT_MS
  while (performance.now() < deadline) {
    const { MainPID, ActiveState } = await systemctl.show(unit, 'MainPID', 'ActiveState')
    if (MainPID !== before && MainPID !== '0' && ActiveState === 'active') {
      output.event('handed_over', 'the new version serves; players of the old one stay until they leave')
      return
    }
    if (!(await wait(LOOK_AGAIN_MS, signal))) throw new CliError('cancelled', 'cancelled')
  }
  const detail = `the new version has not taken over, the old one goes on: see its log, or 'systemctl restart ${unit}' (cuts its players)`
  throw new CliError('not_handed_over', detail)
}
