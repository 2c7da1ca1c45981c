import { once } from 'node:events'
import { connect } from 'node:net'
import t from 'tap'
import type { Http } from '../../dist/index.js'
import type { TestKernel } from '../../dist/testing/index.js'
import { start } from './support.js'

interface Gate {
  readonly arrived: Promise<void>
  open(): void
  readonly opened: Promise<void>
}

function gate(): Gate & { arrive(): void } {
  const { promise: arrived, resolve: arrive } = withResolvers()
  const { promise: opened, resolve: open } = withResolvers()
  return { arrived, arrive, opened, open }
}

function withResolvers(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => undefined
  const promise = new Promise<void>((done) => {
    resolve = done
  })
  return { promise, resolve }
}

function slow(door: ReturnType<typeof gate>): (http: Http) => void {
  return (http) =>
    http.route({
      method: 'GET',
      url: '/slow',
      access: 'public',
      summary: 's',
      tag: 't',
      handler: async () => {
        door.arrive()
        await door.opened
        return { done: true }
      },
    })
}

async function refuses(panel: TestKernel): Promise<void> {
  const { port } = new URL(panel.url)
  for (let connected = true; connected; ) {
    const socket = connect(Number(port), '127.0.0.1')
    connected = await new Promise((resolve) => {
      socket.once('connect', () => resolve(true))
      socket.once('error', () => resolve(false))
    })
    socket.destroy()
  }
}

t.test('answers what is under way, takes no more, and closes idle connections', async (t) => {
  const door = gate()
  const panel = await start(slow(door), { drainTimeoutMs: 10_000 })
  const { port } = new URL(panel.url)
  const idle = connect(Number(port), '127.0.0.1')
  idle.write('GET /api/health/ready HTTP/1.1\r\nhost: x\r\n\r\n')
  const [ready] = (await once(idle, 'data')) as [Buffer]
  t.match(ready.toString(), '200 OK')
  const answer = panel.fetch('/slow')
  await door.arrived
  const idleClosed = once(idle, 'close')
  const stopped = panel.stop()
  await idleClosed
  await refuses(panel)
  const draining = await panel.inject('/api/health/ready')
  t.equal(draining.statusCode, 503)
  t.equal(draining.json().status, 'draining')
  t.ok(draining.headers['retry-after'])
  door.open()
  const response = await answer
  t.same(await response.json(), { done: true })
  t.equal(response.headers.get('connection'), 'close')
  await stopped
})

t.test('does not wait for ever', async (t) => {
  const door = gate()
  const panel = await start(slow(door), { drainTimeoutMs: 50 })
  const answer = panel.fetch('/slow').then(
    () => 'answered',
    () => 'cut',
  )
  await door.arrived
  await panel.stop()
  t.equal(await answer, 'cut')
  door.open()
})

t.test('leaves nothing behind, however often it is started', async (t) => {
  const add = (http: Http): void => {
    http.route({ method: 'GET', url: '/x', access: 'public', summary: 's', tag: 't', handler: () => ({}) })
    http.upgradeRoute('/ws', ({ socket }) => void socket.destroy())
  }
  const cycle = async (): Promise<void> => {
    const panel = await start(add)
    await panel.fetch('/x', { headers: { connection: 'close' } })
    await panel.stop()
  }
  await cycle()
  const handles = (): number =>
    process.getActiveResourcesInfo().filter((kind) => /Server|Timeout|Immediate/.test(kind)).length
  const listeners = (): number => process.eventNames().reduce((sum, name) => sum + process.listenerCount(name), 0)
  const before = [handles(), listeners()]
  for (let count = 0; count < 50; count++) await cycle()
  const after = [handles(), listeners()]
  t.ok((after[0] ?? 0) <= (before[0] ?? 0) + 1, `handles ${before[0]} → ${after[0]}`)
  t.equal(after[1], before[1], 'listeners on process')
})
