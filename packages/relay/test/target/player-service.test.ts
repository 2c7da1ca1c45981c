import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { Emitter } from '../../dist/emitter.js'
import type { AgentEvents } from '../../dist/index.js'
import { DEFAULT_AGENT_LIMITS } from '../../dist/limits.js'
import { silentLogger } from '../../dist/logger.js'
import type { Exchange, JoinOptions } from '../../dist/stream/data-connection.js'
import { createAllowList, LOOPBACK_RULES } from '../../dist/target/allow-rule.js'
import { LocalSources } from '../../dist/target/local-source.js'
import { PlayerService } from '../../dist/target/player-service.js'
import { Refusals } from '../../dist/target/refusals.js'
import { TrafficTotals } from '../../dist/target/traffic-totals.js'
import { START } from '../stream/exchange-support.js'
import { dial, startEcho, until } from '../support.js'

/** Listens, takes nobody and does nothing more. */
const DEAF = `
  const server = require('node:net').createServer()
  server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
    process.stdout.write(String(server.address().port))
    setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0))
  })`

/** A port that neither takes nor refuses who comes. */
async function startDeaf(t: Test): Promise<number> {
  const child = spawn(process.execPath, ['-e', DEAF], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => child.kill('SIGKILL'))
  const [text] = await once(child.stdout, 'data')
  const port = Number(text)
  const sockets: Socket[] = []
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
  })
  const echo = await startEcho(t)
  // As many as the system takes without asking: the next one still waits when who came after it elsewhere is there.
  for (let waits = false; !waits; ) {
    const socket = connect(port, '127.0.0.1').on('error', () => {})
    sockets.push(socket)
    await dial(t, echo.port)
    waits = socket.connecting
  }
  return port
}

function startService(maxConnections = 1) {
  const events = new Emitter<AgentEvents>(silentLogger)
  const told: unknown[] = []
  events.on('rejected', (refusal) => told.push(refusal))
  const refusals = new Refusals(events, silentLogger, 10)
  const service = new PlayerService({
    allowed: createAllowList(LOOPBACK_RULES),
    sources: new LocalSources('shared'),
    limits: { ...DEFAULT_AGENT_LIMITS, maxConnections, targetTimeoutMs: 60_000 },
    events,
    refusals,
    totals: new TrafficTotals(),
  })
  const serve = (port: number) => {
    const log: string[] = []
    let near: Socket | undefined
    const exchange: Exchange = {
      accept: () => log.push('accept'),
      refuse: (error) => log.push(error),
      send: () => {},
      join: (socket: Socket, { onClose }: JoinOptions) => {
        near = socket
        socket.on('close', () => onClose('cut', { fromNear: 0, fromFar: 0 }))
        log.push('join')
      },
      cut: () => {
        near?.destroy()
        log.push('cut')
        exchange.onBroken?.()
      },
    }
    service.serve('relay', { ...START, target: { host: '127.0.0.1', port } }, exchange)
    return { log, leave: () => exchange.onBroken?.() }
  }
  return { service, serve, told }
}

t.test('who leaves while his target is dialled frees his place at once', async (t) => {
  const deaf = await startDeaf(t)
  const { port } = await startEcho(t)
  const { service, serve, told } = startService()
  const first = serve(deaf)
  t.same(serve(port).log, ['agent_busy'])
  t.same(first.log, [])
  first.leave()
  await until(() => serve(port).log[0] !== 'agent_busy', 'a free place')
  t.same(first.log, [])
  t.same(told, [], 'that says nothing of the target')
  await service.stop()
})

t.test('who leaves after his target was reached is left to his exchange', async (t) => {
  const { port } = await startEcho(t)
  const { service, serve } = startService()
  const { log, leave } = serve(port)
  await until(() => log.length === 2)
  leave()
  t.same(serve(port).log, ['agent_busy'])
  t.same(log, ['accept', 'join'])
  await service.stop()
  t.same(log, ['accept', 'join', 'cut'])
})

t.test('stop does not wait for those who are on their way, nor tell their targets unreachable', async (t) => {
  const deaf = await startDeaf(t)
  const { service, serve, told } = startService(2)
  const players = [serve(deaf), serve(deaf)]
  await service.stop()
  for (const { log } of players) t.ok(log.includes('cut'))
  t.same(told, [])
  t.same(serve(deaf).log, ['agent_busy'])
})
