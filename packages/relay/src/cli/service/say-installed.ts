import { existsSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import type { CliContext } from '../context.js'
import type { ServicePlaces } from './places.js'
import type { KeptEnrolment } from './service-config.js'

const PROXY_VARIABLES = ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy']

/** What the owner of a new service should know. */
export function sayInstalled(
  { output, env }: CliContext,
  { name, command, scope, unit, program, config: kept }: ServicePlaces,
  { config, kept: { copy, others } }: { config: string; kept: KeptEnrolment },
): void {
  const user = scope === 'user' ? '--user ' : ''
  const message = `${name} is installed and starts with ${scope === 'user' ? 'this user' : 'the machine'}`
  output.event('installed', message, { service: name, scope, unit, program, config: kept ?? config })
  if (!output.json) {
    const change = kept === undefined ? '' : ` (after a change: systemctl restart ${name})`
    output.event('installed', `  configuration  ${kept ?? config}${change}`)
    output.event('installed', `  state          systemctl ${user}status ${name}`)
    output.event('installed', `  log            journalctl ${user}-u ${name} -f`)
  }
  if (copy === 'updated') {
    output.event('settings_taken', `the settings of ${config} are in force: it is newer than ${kept}, which had others`)
  }
  if (others.length > 0) {
    const detail = `${config} has other settings (${others.join(', ')}) than the service, whose own are in ${kept}: change them there`
    output.notice('other_settings', detail)
  }
  if (copy === 'new' || copy === 'replaced') {
    const detail = `the service has its own copy of the token, ${kept}: 'sallyport ${command}' with ${config} at the same time would take its place at the panel`
    output.notice('token_copied', detail)
  }
  if (scope === 'user' && !lingers()) {
    output.notice('no_linger', "the service ends when you log out: 'loginctl enable-linger' keeps it running")
  }
  const proxy = PROXY_VARIABLES.find((variable) => env[variable])
  if (proxy !== undefined) {
    const detail = `the service does not know ${proxy}: if it needs one, 'systemctl ${user}edit ${name}' (Environment=)`
    output.notice('proxy_not_kept', detail)
  }
}

/** True when the user's services go on without the user (loginctl(1), enable-linger); also when there is no telling. */
function lingers(): boolean {
  try {
    return existsSync(join('/var/lib/systemd/linger', userInfo().username))
  } catch {
    return true
  }
}
