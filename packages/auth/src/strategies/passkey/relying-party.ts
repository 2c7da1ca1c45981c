import { isIP } from 'node:net'
import { coreErrors } from '@sallyport/core'

/** For whom passkeys are made and by whose pages they may be used; from configuration, never from a request. */
export interface RelyingParty {
  /** Host name, or a parent domain of all origins' (WebAuthn L3 section 5.4.2, RP ID). */
  readonly id: string
  /** What browsers and authenticators show. */
  readonly name: string
  /** Where the panel's pages may be, such as `https://panel.example.com`. */
  readonly origins: readonly string[]
}

/** What a host may say of it. */
export interface RelyingPartyConfig {
  readonly rpId?: string | undefined
  readonly rpName?: string | undefined
  readonly origins?: readonly string[] | undefined
}

/** Name of the plugin, for its errors. */
export const pluginName = '@sallyport/auth.passkey'

const domainExpression = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/

/** Throws `CORE_ERR_CONFIG_INVALID` for what no browser would take for a relying party. */
export function assertRelyingPartyConfig({ rpId, origins = [] }: RelyingPartyConfig): void {
  if (rpId !== undefined && (!domainExpression.test(rpId) || isIP(rpId) !== 0)) {
    throw invalidConfig(`rpId ${JSON.stringify(rpId)} is no domain name in lower case`)
  }
  for (const origin of origins) {
    if (!isSecureOrigin(origin)) {
      throw invalidConfig(`origin ${JSON.stringify(origin)} is no https origin such as https://panel.example.com`)
    }
  }
  if (rpId === undefined) return
  for (const origin of origins) {
    if (!covers(rpId, origin))
      throw invalidConfig(`rpId ${rpId} is neither the host of ${origin} nor a parent domain of it`)
  }
}

/**
 * Gives the relying party as it is now: what the configuration leaves open comes from the panel's public URL, whose port
 * may be known only once it listens.
 */
export function resolveRelyingParty({ rpId, rpName, origins }: RelyingPartyConfig, publicUrl: string): RelyingParty {
  const { hostname, origin } = new URL(publicUrl)
  const id = rpId ?? hostname
  return { id, name: rpName ?? id, origins: origins ?? [origin] }
}

/** Why browsers would refuse to make passkeys for it, `undefined` when they would not. */
export function describeUnusable({ id, origins }: RelyingParty): string | undefined {
  for (const origin of origins) {
    if (!isSecureOrigin(origin)) return `${origin} is neither https nor localhost`
    if (!covers(id, origin)) return `${id} is neither the host of ${origin} nor a parent domain of it`
  }
  return undefined
}

/** Whether it is an origin, as browsers write it, whose pages may use WebAuthn: https, or this machine; no bare address. */
function isSecureOrigin(text: string): boolean {
  if (!URL.canParse(text)) return false
  const { origin, protocol, hostname } = new URL(text)
  if (origin !== text || !domainExpression.test(hostname) || isIP(hostname) !== 0) return false
  return protocol === 'https:' || (protocol === 'http:' && isLocal(hostname))
}

function isLocal(hostname: string): boolean {
  return hostname === 'localhost' || hostname.endsWith('.localhost')
}

/** A parent of one label, such as `com`, is nobody's own. */
function covers(rpId: string, origin: string): boolean {
  const { hostname } = new URL(origin)
  return hostname === rpId || (rpId.includes('.') && hostname.endsWith(`.${rpId}`))
}

/** `CORE_ERR_CONFIG_INVALID` of this plugin. */
export function invalidConfig(reason: string): Error {
  return coreErrors.CONFIG_INVALID({ plugin: pluginName, reason })
}
