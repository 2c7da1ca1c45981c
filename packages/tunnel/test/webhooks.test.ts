import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createScope, Secret } from '@sallyport/core'
import { createTestLogger, missingPostgres, skipWithout } from '@sallyport/core/testing'
import t from 'tap'
import { verifyWebhook } from '../dist/index.js'
import { createDeliveryStore } from '../dist/webhooks/delivery-store.js'
import { parseEndpoints } from '../dist/webhooks/endpoints.js'
import { takePresenceChanges } from '../dist/webhooks/told-presence.js'
import { createWebhookWorker, type WebhookTimings } from '../dist/webhooks/webhook-worker.js'
import { openWebhooks } from '../dist/webhooks/webhooks.js'
import { openTunnelDatabase } from './support/tunnel-database.js'
import { until } from './support/until.js'

interface Teardown {
  teardown(close: () => Promise<void>): void
}

interface Received {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

const secret = 'a secret that is long enough'

/** Answers as it is told to. */
async function startReceiver(t: Teardown, answer: (response: ServerResponse, received: Received) => void) {
  const received: Received[] = []
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const one = { path: request.url ?? '', headers: request.headers, body: Buffer.concat(chunks).toString() }
    received.push(one)
    answer(response, one)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(async () => {
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  })
  return { received, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` }
}

const ok = (response: ServerResponse): void => void response.writeHead(204).end()
const quick: Partial<WebhookTimings> = { pollMs: 20, timeoutMs: 1_500, retrySeconds: [0.03, 0.03], trimMs: 50 }

t.test('on a Postgres server', { skip: skipWithout('Postgres', missingPostgres()) }, async (t) => {
  const db = await openTunnelDatabase()
  t.teardown(() => db.close())
  const { sql } = db
  const waiting = async (): Promise<number> => {
    const [row] = await sql<{ n: number }>('SELECT count(*)::integer AS n FROM tunnel_webhook_deliveries')
    return row?.n ?? -1
  }
  const open = (t: Teardown, endpoints: readonly { url: string; events?: string[] }[], timings = quick) => {
    const log = createTestLogger()
    const scope = createScope('test')
    t.teardown(() => scope.dispose())
    const webhooks = openWebhooks({
      sql,
      scope,
      logger: log.logger,
      endpoints: endpoints.map((endpoint) => ({ ...endpoint, secret: new Secret(secret) })),
      timings,
      presenceIntervalMs: 50,
      awaySeconds: 0,
    })
    const tell = (action: string, data: object = {}) =>
      webhooks.audited({ action, id: '1', data: { ...data }, actor: { kind: 'user', id: 'ada' } })
    return { webhooks, tell, log, scope }
  }

  t.test('tells what happens, signed, without secrets', async (t) => {
    const { received, url } = await startReceiver(t, ok)
    const { tell } = open(t, [{ url }])
    await tell('device.approved', { name: 'box', userCode: 'ABCD-1234', token: 'x' })
    await tell('device.nonsense')
    await until('it is delivered', async () => received.length === 1 && (await waiting()) === 0)
    const [{ headers, body } = { headers: {}, body: '' }] = received
    t.ok(verifyWebhook(headers, body, secret))
    t.match(JSON.parse(body), {
      type: 'device.approved',
      timestamp: /^\d{4}-.*Z$/,
      data: { id: '1', name: 'box', by: { kind: 'user', id: 'ada' } },
    })
    t.notMatch(body, /ABCD|token/)
  })

  t.test('each endpoint gets what it asked for', async (t) => {
    const { received, url } = await startReceiver(t, ok)
    const { tell, webhooks } = open(t, [
      { url },
      { url: `${url}some`, events: ['allocation.*', 'device.denied'] },
      { url: `${url}connections`, events: ['connection.*'] },
    ])
    await tell('device.denied')
    await tell('device.deleted')
    await tell('allocation.created')
    await webhooks.connectionsEnded?.([{ allocationId: 5 } as never, { allocationId: 6 } as never])
    await until('all are delivered', async () => received.length === 7 && (await waiting()) === 0)
    const types = (path: string) =>
      received
        .filter((one) => one.path === path)
        .map(({ body }) => JSON.parse(body).type)
        .sort()
    t.same(types('/'), ['allocation.created', 'device.deleted', 'device.denied'])
    t.same(types('/some'), ['allocation.created', 'device.denied'])
    t.same(types('/connections'), ['connection.ended', 'connection.ended'])
  })

  t.test('what fails, hangs or redirects is tried again under the same id, then given up', async (t) => {
    const answers: ((response: ServerResponse) => void)[] = [
      (response) => void response.writeHead(500).end(),
      () => undefined,
      ok,
      (response) => void response.writeHead(302, { location: '/elsewhere' }).end(),
      (response) => void response.destroy(),
      (response) => void response.writeHead(503).end('x'.repeat(200_000)),
    ]
    const { received, url } = await startReceiver(t, (response) => answers[received.length - 1]?.(response))
    const { tell, log } = open(t, [{ url }])
    await tell('device.approved')
    await until('it is delivered at last', async () => received.length === 3 && (await waiting()) === 0)
    t.equal(new Set(received.map(({ headers }) => headers['webhook-id'])).size, 1)
    t.ok(received.every(({ headers, body }) => verifyWebhook(headers, body, secret)))
    t.same(log.lines, [])
    await tell('device.deleted')
    await until('it is given up', async () => received.length === 6 && (await waiting()) === 0)
    t.ok(
      received.every(({ path }) => path === '/'),
      'no redirect is followed',
    )
    t.match(log.lines, [{ level: 40, event: 'device.deleted', attempts: 3 }])
    t.notMatch(log.text, secret)
  })

  t.test('an endpoint that is gone gets it no more', async (t) => {
    const { received, url } = await startReceiver(t, (response) => void response.writeHead(410).end())
    const { tell, log } = open(t, [{ url }])
    await tell('device.approved')
    await until('it is dropped', async () => received.length === 1 && (await waiting()) === 0)
    t.match(log.lines, [{ level: 40 }])
  })

  t.test('one that hangs does not hold up another', async (t) => {
    const { received, url } = await startReceiver(t, (response, { path }) => (path === '/' ? undefined : ok(response)))
    const { tell } = open(t, [{ url }, { url: `${url}ok` }], { ...quick, timeoutMs: 60_000 })
    await Promise.all(Array.from({ length: 30 }, () => tell('device.approved')))
    await until('the other has all', () => received.filter(({ path }) => path === '/ok').length === 30)
    t.equal(received.filter(({ path }) => path === '/').length, 2, 'two at a time')
  })

  t.test('many workers deliver each message once', async (t) => {
    const { received, url } = await startReceiver(t, ok)
    await sql('DELETE FROM tunnel_webhook_deliveries RETURNING id')
    const panels = [1, 2, 3].map(() => open(t, [{ url }], { ...quick, timeoutMs: 60_000, leaseSeconds: 300 }))
    await Promise.all(Array.from({ length: 300 }, (_, n) => panels[n % 3]?.tell('device.approved')))
    await until('nothing waits', async () => (await waiting()) === 0)
    const ids = received.map(({ headers }) => headers['webhook-id'])
    t.same([ids.length, new Set(ids).size], [300, 300])
  })

  t.test('what a killed instance had claimed is delivered by another, under the same id', async (t) => {
    const { received, url } = await startReceiver(t, ok)
    const endpoints = parseEndpoints([{ url, secret: new Secret(secret) }])
    const store = createDeliveryStore(sql)
    const id = randomUUID()
    await store.insert([{ id, endpoint: endpoints[0]?.key ?? '', event: 'device.approved', body: '{}' }])
    t.equal((await store.claim(endpoints[0]?.key ?? '', 5, 30)).length, 1)
    const worker = createWebhookWorker({ store, endpoints, logger: createTestLogger().logger, timings: quick })
    t.same(await store.claim(endpoints[0]?.key ?? '', 5, 30), [], 'nobody else gets it before')
    await sql(`UPDATE tunnel_webhook_deliveries SET due_at = due_at - interval '31 s' RETURNING id`)
    await until('it is delivered', async () => received.length === 1 && (await waiting()) === 0)
    t.equal(received[0]?.headers['webhook-id'], id)
    await worker.stop()
  })

  t.test('of too many the oldest are dropped, said once', async (t) => {
    const { url } = await startReceiver(t, (response) => void response.writeHead(500).end())
    const { tell, log } = open(t, [{ url }], { ...quick, retrySeconds: [60], maxWaiting: 10 })
    await Promise.all(Array.from({ length: 40 }, () => tell('device.approved')))
    await until('they are dropped', async () => (await waiting()) === 10)
    await tell('device.denied')
    await Promise.all(Array.from({ length: 5 }, () => tell('device.approved')))
    await until('more are dropped', async () => (await waiting()) === 10)
    t.equal(log.lines.filter(({ msg }) => msg?.includes('oldest are dropped')).length, 1)
    await sql('DELETE FROM tunnel_webhook_deliveries RETURNING id')
  })

  t.test('a stop waits for what is under way, and what it breaks off is tried again', async (t) => {
    const { received, url } = await startReceiver(t, () => undefined)
    const { tell, scope } = open(t, [{ url }], { ...quick, timeoutMs: 60_000 })
    await tell('device.approved')
    await until('it is under way', () => received.length === 1)
    await scope.dispose()
    const [row] = await sql<{ due: boolean }>('SELECT due_at <= now() AS due FROM tunnel_webhook_deliveries')
    t.same(row, { due: true })
    await sql('DELETE FROM tunnel_webhook_deliveries RETURNING id')
  })

  t.test('devices and relays that come and go are told once, by one instance', async (t) => {
    const instance = randomUUID()
    const [device, flapping] = [await db.device(), await db.device()]
    await db.relay('relay')
    const set = (id: string | null, seen: string) =>
      sql(
        `UPDATE tunnel_devices SET instance_id = $1::uuid, last_seen_at = now() - $3::interval
         WHERE id = $2::uuid RETURNING id`,
        [id, device, seen],
      )
    const take = () =>
      Promise.all([1, 2, 3].map(() => takePresenceChanges(sql, 'tunnel_devices', 15))).then((all) => all.flat())
    const lease = (alive: string) =>
      sql(
        `INSERT INTO tunnel_instances (id, alive_until) VALUES ($1::uuid, now() + $2::interval)
         ON CONFLICT (id) DO UPDATE SET alive_until = excluded.alive_until RETURNING id`,
        [instance, alive],
      )
    await lease('1 minute')
    t.same(await take(), [])
    await set(instance, '0')
    t.same(await take(), [{ id: device, online: true }])
    await set(null, '0')
    t.same(await take(), [], 'away for a moment')
    await set(instance, '0')
    t.same(await take(), [], 'and back')
    await lease('-1 minute')
    await set(instance, '1 minute')
    t.same(await take(), [{ id: device, online: false }], 'its instance died')
    t.ok(flapping)

    await lease('1 minute')
    await sql(`UPDATE tunnel_relays SET instance_id = $1::uuid RETURNING id`, [instance])
    const { received, url } = await startReceiver(t, ok)
    open(t, [{ url }])
    open(t, [{ url }])
    await until('they are told', async () => received.length === 2 && (await waiting()) === 0)
    const told = received.map(({ body }) => JSON.parse(body)).map(({ type, data }) => [type, data.id])
    t.same(told.sort(), [
      ['device.online', device],
      ['relay.online', 'relay'],
    ])
  })
})

t.test('an endpoint that cannot be right stops the start, without its secret in the message', async (t) => {
  const refused = (endpoint: object, reason: RegExp) => {
    const config = [{ url: 'http://h/', secret: new Secret(secret), ...endpoint }]
    t.throws(() => parseEndpoints(config as never), { code: 'TUNNEL_ERR_WEBHOOK_INVALID', message: reason })
  }
  refused({ url: 'http://' }, /not a URL/)
  refused({ url: 'http://me:pass@h/' }, /^(?!.*pass@).*user name/)
  refused({ secret: new Secret('whsec_AAAA') }, /base64/)
  refused({ events: ['device.aproved'] }, /no event device.aproved/)
  const one = { url: 'http://h/', secret: new Secret(secret) }
  t.throws(() => parseEndpoints([one, { ...one, url: 'http://H:80/#x' }]), /same url/)
})
