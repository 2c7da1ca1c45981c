import type { Static, TSchema } from '@sinclair/typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Principal } from '../identity/principal.js'
import type { RateLimit } from '../security/rate-limits.js'

/**
 * Who may call a route.
 * - `public`: anyone; credentials are not looked at.
 * - `optional`: anyone; credentials, when there are some, must be valid, and give `principal`.
 * - `authenticated`: any valid credential of a `user` or `apiKey`.
 * - `{ permission }`: the same, with a permission (403 `forbidden` without).
 * - `{ kinds, permission? }`: only these kinds of principal, such as `['device']`.
 */
export type Access =
  | 'public'
  | 'optional'
  | 'authenticated'
  | { readonly permission: string }
  | { readonly kinds: readonly Principal['kind'][]; readonly permission?: string }

/** Whom a route of that access may be called by. */
export type PrincipalFor<A extends Access> = A extends 'public'
  ? undefined
  : A extends 'optional'
    ? Principal | undefined
    : Principal
type StaticOr<Schema, Fallback> = Schema extends TSchema ? Static<Schema> : Fallback

/** What a handler is given. */
export interface RouteContext<A extends Access = Access, Body = unknown, Query = unknown, Params = unknown> {
  readonly principal: PrincipalFor<A>
  /** Validated as it is: no type coercion, unknown fields refused when the schema says so. */
  readonly body: Body
  /** Validated; numbers and booleans are read from their text. */
  readonly query: Query
  readonly params: Params
  readonly ip: string
  readonly requestId: string
  readonly request: FastifyRequest
  readonly reply: FastifyReply
}

export interface RouteDefinition<
  A extends Access = Access,
  Body extends TSchema | undefined = TSchema | undefined,
  Query extends TSchema | undefined = TSchema | undefined,
  Params extends TSchema | undefined = TSchema | undefined,
> {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Fastify's path syntax, such as `/api/tunnel/devices/:id`. */
  readonly url: string
  /** Stated for every route: nothing is open by omission. */
  readonly access: A
  /** One line for the OpenAPI document. */
  readonly summary: string
  readonly description?: string
  /** Group in the OpenAPI document. */
  readonly tag: string
  /** JSON. Wrapped in `Type.Optional`, a request without a body gives `{}`. */
  readonly body?: Body
  readonly query?: Query
  readonly params?: Params
  /** Schema of each successful answer by status; errors are documented by themselves. */
  readonly response?: Readonly<Record<number, TSchema>>
  /** Media type of the successful answers; default `application/json`. The handler sets it on `reply`. */
  readonly produces?: string
  /** Counted per client address (IPv6 by /64), before credentials are looked at. */
  readonly rateLimit?: RateLimit
  /** Bytes; default 2 MiB (`http({ bodyLimit })`). */
  readonly bodyLimit?: number
  /** Left out of the OpenAPI document. */
  readonly hidden?: boolean
  /**
   * Returns the answer's body, sent as JSON with status 200 unless set on `reply`; `undefined` is 204. A buffer, a
   * stream, what `eventStream` gives, or text for which the handler set a content type is sent as it is. Throws catalogued errors.
   */
  handler(
    context: RouteContext<
      A,
      StaticOr<Body, unknown>,
      StaticOr<Query, Record<string, never>>,
      StaticOr<Params, Record<string, never>>
    >,
  ): unknown
}
