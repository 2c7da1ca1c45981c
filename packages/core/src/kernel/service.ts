/** Carries the service's type; never set at run time. */
declare const serviceType: unique symbol

/**
 * Names a service and carries its type. Two copies of a package agree on a service by `id`; `version` is that of the
 * interface: a provider satisfies a requirement when its version is caret-compatible with the requirer's.
 */
export interface ServiceToken<T> {
  readonly id: string
  readonly version: string
  readonly [serviceType]?: T
}

/** A record of tokens as a plugin writes it in `requires`, `optional` or `provides`. */
export type ServiceTokens = Readonly<Record<string, ServiceToken<unknown>>>

/** The service that a token stands for. */
export type ServiceOf<Token> = Token extends ServiceToken<infer T> ? T : never

/** The services that a record of tokens stands for, under the same keys. */
export type ResolvedServices<Tokens> = { readonly [Key in keyof Tokens]: ServiceOf<Tokens[Key]> }

/** The same, where each may be missing. */
export type OptionalServices<Tokens> = { readonly [Key in keyof Tokens]: ServiceOf<Tokens[Key]> | undefined }

/**
 * Makes a service token.
 * @param id unique name, by custom `<package>.<service>`, such as `core.database`
 * @param version semantic version of the service's interface
 */
export function defineService<T>(id: string, version = '1.0.0'): ServiceToken<T> {
  return Object.freeze({ id, version })
}

/** A service put in the place of whatever a plugin provides: for tests, and for hosts that bring their own. */
export interface ServiceOverride<T = unknown> {
  readonly token: ServiceToken<T>
  readonly value: T
}

/** Puts `value` in the place of the service that `token` names, whichever plugin provides it. */
export function override<T>(token: ServiceToken<T>, value: T): ServiceOverride<T> {
  return { token, value }
}
