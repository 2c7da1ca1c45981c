import { isIP } from 'node:net'
import { tunnelErrors } from '../errors.js'

const maxLength = 253
const label = /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/i

/**
 * Checks the host of an allocation's target, as the agent will dial it: a host name (RFC 1123 section 2.1, underscores
 * tolerated) or an IP address without zone. Whether the agent may dial it is the agent's own rules' business.
 * @throws `TUNNEL_ERR_LOCAL_HOST_INVALID`
 */
export function checkLocalHost(host: string): string {
  const valid = host.length <= maxLength && !host.includes('%') && (isIP(host) !== 0 || isHostName(host))
  if (!valid) throw tunnelErrors.LOCAL_HOST_INVALID()
  return host
}

function isHostName(host: string): boolean {
  const labels = host.replace(/\.$/, '').split('.')
  // All digits in the last label would be a broken IPv4 address, which some resolvers take for a number.
  return labels.every((part) => label.test(part)) && !/^(\d+|0x[0-9a-f]*)$/i.test(labels.at(-1) ?? '')
}
