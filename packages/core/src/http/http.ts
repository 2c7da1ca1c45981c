import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { TSchema } from '@sinclair/typebox'
import type { FastifyPluginAsync } from 'fastify'
import type { Authentication } from '../identity/authenticator.js'
import type { Disposer } from '../kernel/scope.js'
import { defineService, type ServiceToken } from '../kernel/service.js'
import type { Access, PrincipalFor, RouteDefinition } from './route.js'

export interface ListenOptions {
  /** Default `127.0.0.1`. */
  readonly host?: string
  /** Default 0: a free one. */
  readonly port?: number
}

export interface ListenAddress {
  readonly host: string
  readonly port: number
}

/** A request to one of a host's own routes, as Node, Express or Fastify give it. */
export type HostRequest = IncomingMessage | { readonly raw: IncomingMessage; readonly ip: string }

/** Runs before credentials and body are looked at; throws a catalogued error to refuse. */
export type Guard = (request: IncomingMessage) => void | Promise<void>

/** A WebSocket (or other) upgrade whose credentials have been looked at. */
export interface UpgradeContext {
  readonly authentication: Authentication
  readonly request: IncomingMessage
  readonly socket: Duplex
  readonly head: Buffer
  readonly ip: string
  readonly requestId: string
  /** Answers with problem+json and closes the socket. */
  refuse(error: unknown): void
}

/** Where plugins add their routes; all in `setup`, before the kernel is started. */
export interface Http {
  /** @throws `CORE_ERR_ROUTE_INVALID` for a URL that cannot be one, a route that is there already, or one too late */
  route<
    A extends Access,
    Body extends TSchema | undefined,
    Query extends TSchema | undefined,
    Params extends TSchema | undefined,
  >(definition: RouteDefinition<A, Body, Query, Params>): void
  /** Guards every path under `prefix`, unknown ones and upgrades too. */
  guard(prefix: string, guard: Guard): Disposer
  /** Takes over upgrades of one path. Guards have passed; a refused authentication is the handler's to answer. */
  upgradeRoute(path: string, handler: (context: UpgradeContext) => void | Promise<void>): Disposer
  /**
   * Adds plain Fastify routes, such as a dashboard's static files, in a context of their own. A route for everything
   * (`/*`) does not get the paths below the first segments of `route`'s, such as `/api`.
   */
  plugin(plugin: FastifyPluginAsync): void
  /** For links and the expected Origin: the configured public URL, without a trailing slash. Never taken from a request. */
  readonly publicUrl: string
  readonly fastify: FastifyPluginAsync
  /** Without `next` it answers whatever comes, with it only what `serves` says. */
  readonly handler: (request: IncomingMessage, response: ServerResponse, next?: (error?: unknown) => void) => void
  /** Without `next` it answers every upgrade, with it only those of `upgradeRoute`'s paths. */
  readonly upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer, next?: () => void) => void
  /** Whether a request to a host's server is for one of the kernel's paths: below the first segments of its routes, or a page. */
  serves(request: IncomingMessage): boolean
  /** As `Kernel.authenticate`. */
  authenticate<A extends Access = 'authenticated'>(request: HostRequest, access?: A): Promise<PrincipalFor<A>>
  listen(options?: ListenOptions): Promise<ListenAddress>
}

export const Http: ServiceToken<Http> = defineService<Http>('core.http')
