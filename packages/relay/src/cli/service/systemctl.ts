import { execFile } from 'node:child_process'
import type { CliContext } from '../context.js'
import { CliError } from '../exit.js'
import type { ServiceScope } from './places.js'

export interface SystemctlAnswer {
  ok: boolean
  /** Of stdout. */
  text: string
  /** The last line of stderr, for people. */
  trouble: string
}

/** Talks to the service manager of the system or the user. */
export interface Systemctl {
  /** Never throws for what systemctl refuses, or systemd takes too long for. Throws CliError when it cannot be run. */
  run(...args: string[]): Promise<SystemctlAnswer>
  /** The same, and CliError when it is refused. */
  must(...args: string[]): Promise<SystemctlAnswer>
  /** Properties of a unit, by name; times in UTC. */
  show(unit: string, ...properties: string[]): Promise<Record<string, string>>
}

const MAX_OUTPUT_BYTES = 1_048_576
/** LoadCredential= came with it. */
const OLDEST_SYSTEMD = 247
const PASSED_ON = ['PATH', 'HOME', 'XDG_RUNTIME_DIR', 'DBUS_SESSION_BUS_ADDRESS', 'XDG_CONFIG_HOME', 'XDG_DATA_HOME']

export function createSystemctl(scope: ServiceScope, { env, signal }: Pick<CliContext, 'env' | 'signal'>): Systemctl {
  const childEnv = Object.fromEntries(PASSED_ON.flatMap((name) => (env[name] ? [[name, env[name]]] : [])))
  const common = [...(scope === 'user' ? ['--user'] : []), '--no-pager', '--no-ask-password']

  function run(...args: string[]): Promise<SystemctlAnswer> {
    // No limit of our own: systemd has one for each start and stop, and a stop may take as long as a relay's players have (`--drain`).
    const options = { env: { ...childEnv, LC_ALL: 'C', TZ: 'UTC' }, maxBuffer: MAX_OUTPUT_BYTES, signal }
    return new Promise((resolve, reject) => {
      execFile('systemctl', [...common, ...args], options, (error, stdout, stderr) => {
        const trouble = stderr.trim().split('\n').at(-1) ?? ''
        if (error === null) resolve({ ok: true, text: stdout, trouble })
        else if (signal.aborted) reject(new CliError('cancelled', 'cancelled'))
        else if (error.code === 'ENOENT') reject(new CliError('no_systemd', 'there is no systemctl here'))
        else resolve({ ok: false, text: stdout, trouble })
      })
    })
  }

  async function must(...args: string[]): Promise<SystemctlAnswer> {
    const answer = await run(...args)
    if (answer.ok) return answer
    throw new CliError('systemctl_failed', `systemctl ${args.join(' ')} failed: ${answer.trouble || 'it says nothing'}`)
  }

  async function show(unit: string, ...properties: string[]): Promise<Record<string, string>> {
    const { text } = await run('show', unit, `--property=${properties.join(',')}`)
    return Object.fromEntries(
      text.split('\n').flatMap((line) => {
        const at = line.indexOf('=')
        return at < 1 ? [] : [[line.slice(0, at), line.slice(at + 1)]]
      }),
    )
  }

  return { run, must, show }
}

/** Is there a service manager that takes our unit? Throws CliError. */
export async function checkManager(systemctl: Systemctl, scope: ServiceScope): Promise<void> {
  const { text } = await systemctl.run('--version')
  const version = Number(/^systemd (\d+)/.exec(text)?.[1])
  if (version < OLDEST_SYSTEMD) {
    throw new CliError('old_systemd', `this is systemd ${version}; the unit needs ${OLDEST_SYSTEMD} or newer`)
  }
  const { ok, trouble } = await systemctl.run('show', '--property=Version')
  if (ok) return
  const hint =
    scope === 'user'
      ? "log in as this user directly (not by 'su' or 'sudo'), or run it as root for a service of the whole machine"
      : 'is systemd running?'
  throw new CliError('no_systemd', `systemd does not answer (${trouble || 'no reason given'}): ${hint}`)
}
