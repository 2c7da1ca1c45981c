import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  type Authentication,
  createSql,
  Database,
  definePlugin,
  type EventOrigin,
  type Events,
  type EventToken,
  type Features,
  type Plugin,
  type Sql,
  type TokenIssuer,
} from '@sallyport/core'
import { createTestKernel, createTestLogger, type TestLogger } from '@sallyport/core/testing'
import { createGateway, type Gateway } from '../../dist/gateway/gateway.js'
import { createInstanceLease } from '../../dist/gateway/instance-lease.js'
import { createPresence, type Presence } from '../../dist/gateway/presence.js'
import type { RelayHost } from '../../dist/gateway/relay-session.js'
import { createTargetErrors } from '../../dist/gateway/target-errors.js'
import { migrations } from '../../dist/migrations.js'

export interface GatewayDatabase {
  readonly sql: Sql
  /** An approved device; gives its token. */
  device(kind?: 'client' | 'server'): Promise<{ id: string; token: string }>
  /** The old token is dead from now on. */
  regenerate(id: string): Promise<string>
  close(): Promise<void>
}

/** The tables, and nothing else of the plugin. */
export async function openDatabase(plugins: readonly Plugin[] = []): Promise<GatewayDatabase> {
  const tables = definePlugin({
    name: '@sallyport/tunnel',
    version: '1.0.0',
    requires: { database: Database },
    migrations,
    setup: () => undefined,
  })
  const kernel = await createTestKernel({ http: false, plugins: [...plugins, tables()] })
  const sql = createSql(kernel.get(Database))
  return {
    sql,
    async device(kind = 'client') {
      const [id, tokenId] = [randomUUID(), randomUUID()]
      await sql(
        `INSERT INTO tunnel_devices (id, name, kind, user_code, device_code_hash, expires_at, approved_at, token_id)
         VALUES ($1::uuid, 'box', $2, $1::text, $1::text, now(), now(), $3::uuid)`,
        [id, kind, tokenId],
      )
      return { id, token: `${id}.${tokenId}` }
    },
    async regenerate(id) {
      const tokenId = randomUUID()
      await sql('UPDATE tunnel_devices SET token_id = $2::uuid WHERE id = $1::uuid', [id, tokenId])
      return `${id}.${tokenId}`
    },
    close: () => kernel.stop(),
  }
}

type Handler = (payload: never, origin: EventOrigin) => void | Promise<void>

/** Events between instances; what is lost is decided by the test. */
export function createBus(): { instance(): Events; losing: boolean } {
  const instances = new Set<Map<string, Set<Handler>>>()
  const bus = {
    losing: false,
    instance(): Events {
      const mine = new Map<string, Set<Handler>>()
      instances.add(mine)
      return {
        connected: true,
        async emit({ name }, payload) {
          for (const one of instances) {
            if (one !== mine && bus.losing) continue
            for (const handler of one.get(name) ?? []) await handler(payload as never, { remote: one !== mine })
          }
        },
        on<T>({ name }: EventToken<T>, handler: (payload: T, origin: EventOrigin) => void) {
          const known = mine.get(name) ?? new Set()
          mine.set(name, known.add(handler as Handler))
          return () => void known.delete(handler as Handler)
        },
        onResync: () => () => undefined,
      }
    },
  }
  return bus
}

export interface TestGateway {
  readonly url: string
  readonly instanceId: string
  readonly gateway: Gateway
  readonly presence: Presence
  readonly log: TestLogger
  readonly ended: string[]
  stop(): Promise<void>
}

export interface TestGatewayOptions {
  readonly events?: Events
  readonly heartbeatMs?: number
  readonly relayHost?: RelayHost
  readonly options?: Partial<Parameters<typeof createGateway>[0]>
}

/** A gateway behind a server of its own; tokens are what `GatewayDatabase` gives. */
export async function startGateway(
  { sql }: GatewayDatabase,
  { events = createBus().instance(), heartbeatMs = 1_000, relayHost, options = {} }: TestGatewayOptions = {},
): Promise<TestGateway> {
  const instanceId = randomUUID()
  const lease = createInstanceLease(sql, instanceId, 60_000)
  await lease.renew()
  const log = createTestLogger()
  const presence = createPresence(sql, instanceId)
  const ended: string[] = []
  let revision = 0
  const gateway = createGateway({
    issuer: { verify } as TokenIssuer,
    features: { isEnabled: () => true } as unknown as Features,
    events,
    presence,
    logger: log.logger,
    config: {
      heartbeatMs,
      helloTimeoutMs: 5_000,
      maxConnections: 10_000,
      leaseIntervalMs: 3_000,
      presenceIntervalMs: 1_000,
    },
    readStates: async (deviceIds) => {
      revision += 1
      return new Map(deviceIds.map((id) => [id, { type: 'state', revision, allocations: [], relays: [] }]))
    },
    issueTicket: () => undefined,
    endLink: (deviceId) => void ended.push(deviceId),
    targetErrors: createTargetErrors(sql, log.logger),
    ...(relayHost ? { relayHost } : {}),
    ...options,
  })
  const unlisten = gateway.listen()
  const server = createServer()
  server.on('upgrade', async (request, socket, head) => {
    const refuse = (error: unknown) => {
      const { status, retryAfter } = error as { status: number; retryAfter?: number }
      const after = retryAfter === undefined ? '' : `Retry-After: ${retryAfter}\r\n`
      socket.end(`HTTP/1.1 ${status} x\r\n${after}Content-Length: 2\r\n\r\n{}`)
    }
    socket.on('error', () => undefined)
    try {
      gateway.guard(request)
    } catch (error) {
      refuse(error)
      return
    }
    const authentication = await authenticate(sql, request)
    gateway.upgrade({ authentication, request, socket, head, ip: '', requestId: '', refuse })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    instanceId,
    gateway,
    presence,
    log,
    ended,
    async stop() {
      unlisten()
      await gateway.stop()
      await lease.end()
      server.close()
      server.closeAllConnections()
    },
  }
}

function verify(token: string): ReturnType<TokenIssuer['verify']> {
  const [subject = '', id = ''] = token.split('.')
  return { kind: 'valid', claims: { subject, id } } as ReturnType<TokenIssuer['verify']>
}

async function authenticate(sql: Sql, request: IncomingMessage): Promise<Authentication> {
  const [device, token] = request.headers.authorization?.slice('Bearer '.length).split('.') ?? []
  const [row] = await sql<{ kind: string }>(
    'SELECT kind FROM tunnel_devices WHERE id = $1::uuid AND token_id = $2::uuid',
    [device, token],
  )
  const principal = { kind: 'device', id: device, deviceKind: row?.kind }
  return { kind: row ? 'authenticated' : 'anonymous', principal } as unknown as Authentication
}
