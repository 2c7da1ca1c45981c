import { PassThrough } from 'node:stream'
import t from 'tap'
import type { Agent, AgentEvents } from '../../../dist/agent-types.js'
import { createBoard } from '../../../dist/cli/run/run-board.js'
import { createRunReport } from '../../../dist/cli/run/run-report.js'
import { createOutput } from '../../../dist/cli/terminal/output.js'
import type { ControlChannel, ControlChannelEvents } from '../../../dist/control/control-channel-types.js'
import { Emitter } from '../../../dist/emitter.js'
import { silentLogger } from '../../../dist/logger.js'
import { until } from '../../support.js'

const RELAY = 'eu1'
const tunnel = {
  id: 1,
  relayId: RELAY,
  protocol: 'tcp',
  host: 'play.example.com',
  port: 20_001,
  localHost: '127.0.0.1',
  localPort: 25_565,
} as const

t.test('a tunnel is without its relay only when the link to it is said to be lost', async (t) => {
  const events = new Emitter<AgentEvents>(silentLogger)
  const channel = new Emitter<ControlChannelEvents>(silentLogger)
  const links = () => [{ relayId: RELAY }]
  const agent = Object.assign(events, { links }) as unknown as Agent
  const stdout = new PassThrough()
  const output = createOutput({ stdout, stderr: new PassThrough(), json: false, verbose: false })
  const report = createRunReport({ agent, output, board: createBoard(), isWished: () => false })
  report.follow(channel as unknown as ControlChannel)
  const link = (connected: boolean, error = '') =>
    events.emit('link', { relayId: RELAY, connected, error } as AgentEvents['link'])
  const state = (status: 'open' | 'offline') =>
    channel.emit('state', { type: 'state', revision: 1, allocations: [{ ...tunnel, status }], relays: [] })
  let said = ''
  stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })

  link(true)
  state('open')
  // Its process is replaced: neither side is linked to it for a moment.
  link(false, 'moved')
  state('offline')
  link(true)
  state('open')
  await until(() => said.includes('\nlinked') || said.includes(':25565'))
  t.match(said, /^[^\n]*linked to relay eu1\n[^\n]*:25565\n$/)

  said = ''
  link(false, 'ECONNRESET')
  state('offline')
  await until(() => said.includes('away'))
  t.match(said, /^[^\n]*the link to relay eu1 is lost .*; trying on\n[^\n]*\(its relay is away\)\n$/)

  said = ''
  link(true)
  await until(() => said.includes(':25565'))
  t.match(said, /^[^\n]*linked to relay eu1\n[^\n]*:25565\n$/)
})
