import { FieldError, integer, list, oneOf, optional, own, record, text } from '../../control/control-fields.js'
import { RelayError } from '../../errors.js'
import { parseAllowRule } from '../../target/allow-rule.js'
import { DEFAULT_LOCAL_HOST, type LocalTarget, REGION } from '../tunnels/target.js'

/** What an enrolment leaves on this machine. */
export interface Enrolment {
  /** The panel's URL. */
  panel: string
  /** The device token: whoever reads it is the device. */
  token: string
  name?: string
  deviceId?: string
  /** What the device is to the panel: `client` an agent, `server` a relay. */
  kind?: 'client' | 'server'
}

/** What the owner of this machine writes beside it. */
export interface Wishes {
  /** Tunnels that `run` makes unless the device has them. */
  tunnels?: LocalTarget[]
  /** As `--allow`, which goes before it. */
  allow?: string[]
}

export interface AgentConfig extends Enrolment, Wishes {}

/** An enrolment takes the place of all of these, and leaves the rest of the file as it is. */
export const ENROLMENT_FIELDS = ['panel', 'token', 'name', 'deviceId', 'kind'] as const

const MAX_TUNNELS = 512
const MAX_RULES = 512
const TUNNEL_FIELDS = ['localPort', 'localHost', 'protocol', 'port', 'region']
const HOST = /^(?:[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?|\[?[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]+\]?)$/
const port = integer(1, 65_535)

/** Fields that it does not know are let be. Throws FieldError. */
export function readAgentConfig(body: unknown): AgentConfig {
  const object = record(body, '')
  return {
    panel: own(object, 'panel', text(2_048)),
    token: own(object, 'token', text(4_096, /^[\x21-\x7e]+$/)),
    ...optional(object, 'name', text(200)),
    ...optional(object, 'deviceId', text(128)),
    ...optional(object, 'kind', oneOf('client', 'server')),
    ...readWishes(object),
  }
}

/** Of a file that need not hold an enrolment. Throws FieldError. */
export function readWishes(body: unknown): Wishes {
  const object = record(body, '')
  return {
    ...optional(object, 'tunnels', list(tunnel, MAX_TUNNELS)),
    ...optional(object, 'allow', list(rule, MAX_RULES)),
  }
}

function tunnel(value: unknown, path: string): LocalTarget {
  const object = record(value, path)
  // A slip of the pen would otherwise be a tunnel that is not the one that was meant.
  for (const key of Object.keys(object)) {
    if (!TUNNEL_FIELDS.includes(key)) throw new FieldError(`${path}.${key.slice(0, 40)}`)
  }
  const localPort = own(object, 'localPort', port, path)
  const { localHost, protocol } = {
    ...optional(object, 'localHost', text(253, HOST), path),
    ...optional(object, 'protocol', oneOf('tcp', 'udp', 'both'), path),
  }
  return {
    localHost: (localHost ?? DEFAULT_LOCAL_HOST).replace(/^\[(.*)\]$/, '$1').toLowerCase(),
    localPort,
    protocol: protocol ?? 'tcp',
    ...optional(object, 'port', port, path),
    ...optional(object, 'region', text(63, REGION), path),
  }
}

function rule(value: unknown, path: string): string {
  const rule = text(300)(value, path)
  try {
    parseAllowRule(rule)
    return rule
  } catch (error) {
    if (error instanceof RelayError) throw new FieldError(path)
    throw error
  }
}
