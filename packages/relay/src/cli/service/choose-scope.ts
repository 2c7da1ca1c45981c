import { existsSync } from 'node:fs'
import { CliError, ExitCode } from '../exit.js'
import type { ServiceKind, ServiceScope } from './places.js'

export interface ServiceOptions {
  user?: boolean
  system?: boolean
  kind?: ServiceKind
}

const INSTEAD: Partial<Record<NodeJS.Platform, string>> = {
  darwin: "on macOS let launchd start 'sallyport run' (a LaunchAgent in ~/Library/LaunchAgents)",
  win32: "on Windows let the Task Scheduler start 'sallyport run' at log-on",
}

/** Throws CliError where there is no systemd at all. */
export function requireLinux(platform: NodeJS.Platform = process.platform): void {
  if (platform === 'linux') return
  const instead = INSTEAD[platform] ?? "let this system's own service manager start 'sallyport run'"
  throw new CliError('no_systemd', `'sallyport service' is for systemd: ${instead}`)
}

/** As asked for; else the machine's for root and the user's for others. Throws CliError. */
export function chooseScope({ user, system }: ServiceOptions): ServiceScope {
  if (user && system) throw new CliError('invalid_argument', '--user and --system exclude each other', ExitCode.usage)
  if (user) return 'user'
  return system || isRoot() ? 'system' : 'user'
}

/** Throws CliError when a service of the whole machine is asked for by somebody else than root. */
export function requireRights(scope: ServiceScope): void {
  if (scope === 'user' || isRoot()) return
  throw new CliError('not_root', 'a service of the whole machine needs root: run this with sudo, or without --system')
}

/** As sd_booted(3) has it. */
export function isBooted(): boolean {
  return existsSync('/run/systemd/system')
}

function isRoot(): boolean {
  return process.getuid?.() === 0
}
