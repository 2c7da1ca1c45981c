import t from 'tap'
import { createHealth } from '../../dist/http/health-service.js'
import { coreErrors, Health, Metrics } from '../../dist/index.js'
import { start } from './support.js'

t.test('is ready when every part is', async (t) => {
  await using panel = await start(() => undefined)
  const health = panel.get(Health)
  t.equal((await panel.fetch('/api/health/live')).status, 200)
  health.register('cache', () => undefined)
  const ready = await panel.fetch('/api/health/ready')
  t.same(await ready.json(), { status: 'ready', checks: { cache: 'ok' } })
  const dispose = health.register('database', () => Promise.reject(new Error('password=hunter2 at 10.0.0.1')))
  health.register('mail', () => {
    throw coreErrors.UNAVAILABLE({ reason: 'No mail server answers' })
  })
  const failing = await panel.fetch('/api/health/ready')
  t.equal(failing.status, 503)
  t.match(failing.headers.get('retry-after') ?? '', /^\d+$/)
  const checks = { cache: 'ok', database: 'is not available', mail: 'No mail server answers' }
  t.same(await failing.json(), { status: 'unavailable', checks })
  t.throws(() => health.register('mail', () => undefined), { code: 'CORE_ERR_CONFLICT' })
  await dispose()
  const rest = (await (await panel.fetch('/api/health/ready')).json()) as { checks: object }
  t.notOk('database' in rest.checks)
  t.equal((await panel.fetch('/api/health/live')).status, 200, 'it lives all the same')
})

t.test('waits for no check longer than it may', async (t) => {
  const failures: string[] = []
  const health = createHealth({ checkTimeoutMs: 20, onFailure: (name) => void failures.push(name) })
  let aborted = false
  let runs = 0
  health.register('stuck', (signal) => {
    runs++
    signal.addEventListener('abort', () => {
      aborted = true
    })
    return new Promise(() => undefined)
  })
  health.register('late', () => new Promise((_, reject) => setTimeout(() => reject(new Error('late')), 40)))
  const [first, second] = await Promise.all([health.report(), health.report()])
  t.same(first, { ready: false, checks: { stuck: 'does not answer', late: 'does not answer' } })
  t.equal(first, second, 'callers at one time share a report')
  t.equal(runs, 1)
  t.ok(aborted)
})

t.test('measures requests by route, never by path', async (t) => {
  await using panel = await start((http) => {
    http.route({ method: 'GET', url: '/api/things/:id', access: 'public', summary: 's', tag: 't', handler: () => ({}) })
  })
  for (const path of ['/api/things/1', '/api/things/2', '/nope/1', '/nope/2']) await panel.fetch(path)
  const response = await panel.fetch('/metrics')
  t.match(response.headers.get('content-type'), 'text/plain; version=0.0.4')
  const text = await response.text()
  t.match(text, 'sallyport_http_request_duration_seconds_count{method="GET",route="/api/things/:id",status="200"} 2')
  t.match(text, 'sallyport_http_request_duration_seconds_count{method="GET",route="none",status="404"} 2')
  t.notMatch(text, '/nope')
  for (const name of [
    'process_resident_memory_bytes',
    'process_cpu_seconds_total',
    'nodejs_eventloop_lag_p99_seconds',
  ]) {
    t.match(text, new RegExp(`^${name} \\d`, 'm'))
  }
  await using other = await start(() => undefined)
  t.not(other.get(Metrics).registry, panel.get(Metrics).registry, 'every kernel has its own')
})

t.test('logs requests without what they carry', async (t) => {
  await using panel = await start((http) => {
    http.route({ method: 'GET', url: '/api/things', access: 'public', summary: 's', tag: 't', handler: () => ({}) })
  })
  const headers = { authorization: 'Bearer hunter2', cookie: 'session=hunter2' }
  const response = await panel.fetch('/api/things?token=hunter2', { headers })
  await panel.fetch('/api/health/live')
  t.notMatch(panel.log.text, 'hunter2')
  const lines = panel.log.lines.filter(({ msg }) => msg === 'request')
  t.match(lines[0], {
    level: 30,
    method: 'GET',
    path: '/api/things',
    status: 200,
    ip: '127.0.0.1',
    requestId: response.headers.get('x-request-id'),
  })
  t.equal(lines[1]?.level, 20, 'health checks are not worth a line')
})
