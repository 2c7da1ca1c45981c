import { join } from 'node:path'
import type { CliContext } from '../context.js'

/** What an enrolment is for: an agent or a relay. */
export type ServiceKind = 'client' | 'server'
export type ServiceScope = 'system' | 'user'

/** Where a service's parts lie. */
export interface ServicePlaces {
  scope: ServiceScope
  kind: ServiceKind
  /** Of the unit, without `.service`. */
  name: 'sallyport-agent' | 'sallyport-relay'
  /** `run` or `relay`. */
  command: 'run' | 'relay'
  unit: string
  /** The one-file program, apart from npm's folders and caches. */
  program: string
  /** The enrolment that the service uses; undefined for a user's service, which uses the user's own. */
  config: string | undefined
}

const SYSTEM_UNITS = '/etc/systemd/system'
const SYSTEM_PROGRAMS = '/usr/local/lib/sallyport'
const SYSTEM_CONFIGS = '/etc/sallyport'

export function servicePlaces(
  scope: ServiceScope,
  kind: ServiceKind,
  { env, home }: { env: CliContext['env']; home: string },
): ServicePlaces {
  const part = kind === 'server' ? 'relay' : 'agent'
  const name = `sallyport-${part}` as const
  const command = kind === 'server' ? 'relay' : 'run'
  if (scope === 'system') {
    return {
      scope,
      kind,
      name,
      command,
      unit: join(SYSTEM_UNITS, `${name}.service`),
      program: join(SYSTEM_PROGRAMS, `${name}.mjs`),
      config: join(SYSTEM_CONFIGS, `${part}.json`),
    }
  }
  const configs = env['XDG_CONFIG_HOME'] || join(home, '.config')
  const data = env['XDG_DATA_HOME'] || join(home, '.local', 'share')
  return {
    scope,
    kind,
    name,
    command,
    unit: join(configs, 'systemd', 'user', `${name}.service`),
    program: join(data, 'sallyport', `${name}.mjs`),
    config: undefined,
  }
}
