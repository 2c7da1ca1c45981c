import { connect } from 'node:net'
import fc from 'fast-check'
import t from 'tap'
import { encodeFrame } from '../../dist/link/frame.js'
import { encodeMessage, FrameType } from '../../dist/link/protocol.js'
import { startMetricsServer } from '../../dist/metrics/metrics-server.js'
import { countRefusals, type MeasuredRelay, relayMetrics } from '../../dist/metrics/prometheus.js'
import { DEVICE, dial, dialData, ending, readBytes, startEcho, startTunnel, udpSocket, until } from '../support.js'

interface Series {
  name: string
  labels: Record<string, string>
  value: number
}

/** Line by line as "Exposition formats: text-based format" says, version 0.0.4; throws on anything else. */
function parse(text: string): Series[] {
  if (text !== '' && !text.endsWith('\n')) throw new Error('no line feed at the end')
  const types = new Map<string, string>()
  const helped = new Set<string>()
  const series: Series[] = []
  let current = ''
  for (const line of text.split('\n').slice(0, -1)) {
    const [, help] = /^# HELP ([a-zA-Z_:][\w:]*) (?:[^\\]|\\[\\n])*$/.exec(line) ?? []
    const [, typed, type = ''] = /^# TYPE ([a-zA-Z_:][\w:]*) (counter|gauge)$/.exec(line) ?? []
    if (help !== undefined) {
      if (helped.has(help)) throw new Error(`HELP twice: ${help}`)
      helped.add(help)
    } else if (typed !== undefined) {
      if (types.has(typed)) throw new Error(`TYPE twice: ${typed}`)
      types.set(typed, type)
      current = typed
    } else {
      const [, name = '', inner = '', value = ''] = /^([a-zA-Z_:][\w:]*)\{(.*)\} ([0-9.e+-]+)$/.exec(line) ?? []
      if (name === '' || name !== current) throw new Error(`no sample of ${current}: ${line}`)
      series.push({ name, labels: parseLabels(inner), value: Number(value) })
    }
  }
  for (const [name, type] of types)
    if ((type === 'counter') !== name.endsWith('_total') || !helped.has(name)) throw new Error(`misnamed: ${name}`)
  const seen = series.map(({ name, labels }) => JSON.stringify([name, labels]))
  if (new Set(seen).size !== seen.length) throw new Error('a series twice')
  if (series.some(({ value }) => !Number.isFinite(value))) throw new Error('not a number')
  return series
}

function parseLabels(text: string): Record<string, string> {
  const labels: Record<string, string> = {}
  const pattern = /([a-zA-Z_]\w*)="((?:[^\\"\n]|\\[\\"n])*)"(,|$)/y
  while (pattern.lastIndex < text.length) {
    const [, name = '', value = ''] = pattern.exec(text) ?? []
    if (name === '' || name in labels) throw new Error(`labels: ${text}`)
    labels[name] = value.replace(/\\(.)/g, (_, character: string) => (character === 'n' ? '\n' : character))
  }
  return labels
}

const find = (series: Series[], name: string, labels: Record<string, string> = {}) =>
  series.find((one) => one.name === name && Object.entries(labels).every(([key, value]) => one.labels[key] === value))
    ?.value

t.test('what a relay does is in it', async (t) => {
  const { port: target } = await startEcho(t)
  const { relay, port } = await startTunnel(t, target, { allocation: { options: { maxConnections: 1 } } })
  const refusals = countRefusals(relay)
  const player = await dial(t, port)
  player.write('hello')
  await readBytes(player, 5)
  await ending(await dial(t, port))
  await until(() => refusals.byReason.size > 0)
  const series = parse(relayMetrics(relay, refusals))
  const labels = { relay: relay.id, allocation: '1' }
  t.equal(find(series, 'sallyport_relay_received_bytes_total', labels), 5)
  t.equal(find(series, 'sallyport_relay_sent_bytes_total', labels), 5)
  t.equal(find(series, 'sallyport_relay_connections_total', labels), 1)
  t.equal(find(series, 'sallyport_relay_connections_open', labels), 1)
  t.equal(find(series, 'sallyport_relay_refused_total', { reason: 'busy' }), 1)
  t.equal(find(series, 'sallyport_relay_links'), 1)
  t.equal(find(series, 'sallyport_relay_players_waiting'), 0)
  t.equal(find(series, 'sallyport_relay_allocations', { status: 'listening' }), 1)
  t.equal(find(series, 'sallyport_relay_allocations', { status: 'failed' }), 0)
  t.equal(find(series, 'sallyport_relay_up', { relay: relay.id }), 1)
  refusals.stop()
  await ending(await dial(t, port))
  t.equal(refusals.byReason.get('busy'), 1)
})

t.test('connections that are ready, players who wait and packets of no use', async (t) => {
  const { relay, agent, port } = await startTunnel(t, 9, { relay: { limits: { minReadyPerDevice: 2 } } })
  const figures = () => relay.statistics()
  await until(() => figures().readyConnections === 2)
  t.same(figures(), {
    links: 1,
    readyConnections: 2,
    waitingPlayers: 0,
    droppedPackets: { unknown: 0, replayed: 0, forged: 0, unsent: 0 },
  })
  const stranger = await udpSocket(t)
  stranger.send('hello', relay.dataPort, '127.0.0.1')
  await until(() => figures().droppedPackets.unknown === 1)
  const series = parse(relayMetrics(relay))
  t.equal(find(series, 'sallyport_relay_data_connections_ready', { relay: relay.id }), 2)
  t.equal(find(series, 'sallyport_relay_packets_dropped_total', { reason: 'unknown' }), 1)
  t.equal(find(series, 'sallyport_relay_packets_dropped_total', { reason: 'forged' }), 0)
  await agent.stop()
  await until(() => figures().links === 0 && figures().readyConnections === 0)

  const link = await dialData(t, relay)
  link.write(
    encodeFrame(FrameType.LINK, encodeMessage({ protocol: 2, ticket: relay.issueTicket(DEVICE), version: '1' })),
  )
  link.resume()
  await until(() => figures().links === 1)
  await dial(t, port)
  await until(() => figures().waitingPlayers === 1)
  t.equal(find(parse(relayMetrics(relay)), 'sallyport_relay_players_waiting'), 1)
  await relay.stop()
  t.match(figures(), { links: 0, readyConnections: 0, waitingPlayers: 0, droppedPackets: { unknown: 0 } })
})

t.test('whatever a relay is called, and however many allocations it has', async () => {
  const traffic = fc.record({
    allocationId: fc.nat(),
    bytesIn: fc.maxSafeNat(),
    bytesOut: fc.maxSafeNat(),
    connections: fc.nat(),
    open: fc.nat(),
  })
  const droppedPackets = { unknown: 1, replayed: 2, forged: 3, unsent: 4 }
  const all = fc.uniqueArray(traffic, { selector: ({ allocationId }) => allocationId })
  fc.assert(
    fc.property(
      fc.string({ unit: fc.oneof(fc.constantFrom('"', '\\', '\n', '{', '}', ','), fc.string()) }),
      all,
      (id, totals) => {
        const relay: MeasuredRelay = {
          id,
          traffic: () => totals,
          status: () => ({ running: true, revision: 1, allocations: [] }),
          statistics: () => ({ links: 0, readyConnections: 0, waitingPlayers: 0, droppedPackets }),
        }
        const series = parse(relayMetrics(relay))
        return series.every(({ labels }) => labels['relay'] === id) && series.length === 12 + 4 * totals.length
      },
    ),
  )
})

t.test('over HTTP', async (t) => {
  const { port: target } = await startEcho(t)
  const { relay } = await startTunnel(t, target)
  const server = await startMetricsServer(relay, { host: '127.0.0.1', port: 0 })
  t.teardown(() => server.close())
  const metrics = await fetch(`${server.url}/metrics?x=1`)
  t.equal(metrics.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8')
  t.equal(find(parse(await metrics.text()), 'sallyport_relay_links'), 1)
  const health = await fetch(`${server.url}/healthz`)
  t.same([health.status, await health.text()], [200, 'ok\n'])
  const head = await fetch(`${server.url}/metrics`, { method: 'HEAD' })
  t.same([head.status, await head.text()], [200, ''])
  for (const path of ['/', '/metrics/', '/metricsx', '/__proto__', '/constructor'])
    t.equal((await fetch(server.url + path)).status, 404, path)
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
    const refused = await fetch(`${server.url}/metrics`, {
      method,
      ...(method === 'POST' ? { body: 'x'.repeat(100_000) } : {}),
    })
    t.same([refused.status, refused.headers.get('allow')], [405, 'GET, HEAD'], method)
  }
  await relay.stop()
  t.equal((await fetch(`${server.url}/healthz`)).status, 503)
  await t.rejects(startMetricsServer(relay, { host: '127.0.0.1', port: Number(new URL(server.url).port) }), {
    code: 'EADDRINUSE',
  })
})

t.test('nobody holds it for long, nor more than a few at once', async (t) => {
  const { port: target } = await startEcho(t)
  const { relay } = await startTunnel(t, target)
  const server = await startMetricsServer(relay, { host: '127.0.0.1', port: 0 })
  const port = Number(new URL(server.url).port)
  const idle = Array.from({ length: 40 }, () => connect(port, '127.0.0.1'))
  for (const socket of idle) socket.on('error', () => {}).resume()
  await until(() => idle.filter((socket) => socket.destroyed).length >= 24)
  const garbage = idle.find((socket) => !socket.destroyed)
  garbage?.write(`GET /metrics HTTP/1.1\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`)
  await until(() => garbage?.destroyed)
  await server.close()
  await until(() => idle.every((socket) => socket.destroyed))
})
