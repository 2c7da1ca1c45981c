import { isIP } from 'node:net'
import { RelayError } from '../errors.js'
import { AddressRules, isAddressRule } from '../players/address-rules.js'

/** Targets that an agent may dial: a host name, an address or a CIDR range, and its ports. */
export interface AllowRule {
  /** Lower case; a name, an address, or a range such as '192.168.1.0/24'. */
  readonly host: string
  readonly firstPort: number
  readonly lastPort: number
}

const MAX_RULE_LENGTH = 300
const RULE = /^(?:\[([0-9a-f:.]+(?:\/\d{1,3})?)\]|([^:[\]\s]+)):(\d{1,5})(?:-(\d{1,5}))?$/
const HOST_NAME = /^(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*$/

/** HOST:PORT or HOST:FIRST-LAST; IPv6 in brackets; HOST may be a range in CIDR notation. Throws RELAY_ERR_INVALID_ALLOW_RULE. */
export function parseAllowRule(text: string): AllowRule {
  const match = text.length <= MAX_RULE_LENGTH ? RULE.exec(text.trim().toLowerCase()) : null
  const host = match?.[1] ?? match?.[2]?.replace(/\.$/, '')
  const firstPort = Number(match?.[3])
  const lastPort = match?.[4] === undefined ? firstPort : Number(match[4])
  const bracketed = match?.[1] !== undefined
  if (host === undefined || !isPort(firstPort) || !isPort(lastPort) || firstPort > lastPort || !isHost(host, bracketed))
    throw new RelayError('RELAY_ERR_INVALID_ALLOW_RULE', text.slice(0, MAX_RULE_LENGTH))
  return { host, firstPort, lastPort }
}

/** What an agent dials when nothing else is said. */
export const LOOPBACK_RULES: readonly AllowRule[] = Object.freeze(
  ['127.0.0.0/8', '::1', 'localhost'].map((host) => ({ host, firstPort: 1, lastPort: 65_535 })),
)

/** Decides about names before, and about addresses after they are resolved. */
export interface AllowList {
  /** The name itself is allowed, whatever it resolves to. */
  allowsName(name: string, port: number): boolean
  allowsAddress(address: string, port: number): boolean
  /** False when no rule allows this port at all, so that nothing need be resolved. */
  allowsPort(port: number): boolean
}

export function createAllowList(rules: readonly AllowRule[]): AllowList {
  const compiled = rules.map((rule) => ({ rule, range: rangeOf(rule.host) }))
  const holdsPort = (rule: AllowRule, port: number) => port >= rule.firstPort && port <= rule.lastPort
  return {
    allowsName: (name, port) =>
      compiled.some(({ rule, range }) => range === undefined && rule.host === name && holdsPort(rule, port)),
    allowsAddress: (address, port) =>
      compiled.some(({ rule, range }) => holdsPort(rule, port) && range?.matches(address) === true),
    allowsPort: (port) => compiled.some(({ rule }) => holdsPort(rule, port)),
  }
}

/** An allow list whose rules can be replaced while it is in use. */
export class CurrentAllowList implements AllowList {
  #list: AllowList

  constructor(rules: readonly AllowRule[]) {
    this.#list = createAllowList(rules)
  }

  set(rules: readonly AllowRule[]): void {
    this.#list = createAllowList(rules)
  }

  allowsName(name: string, port: number): boolean {
    return this.#list.allowsName(name, port)
  }

  allowsAddress(address: string, port: number): boolean {
    return this.#list.allowsAddress(address, port)
  }

  allowsPort(port: number): boolean {
    return this.#list.allowsPort(port)
  }
}

function rangeOf(host: string): AddressRules | undefined {
  return isAddressRule(host) ? new AddressRules([host]) : undefined
}

function isHost(host: string, bracketed: boolean): boolean {
  const [address = '', bits] = host.split('/')
  const family = isIP(address)
  if (bracketed !== (family === 6)) return false
  if (family === 0) return bits === undefined && HOST_NAME.test(host) && !/^[\d.]+$/.test(host)
  return isAddressRule(host)
}

function isPort(value: number): boolean {
  return Number.isInteger(value) && value >= 1 && value <= 65_535
}
