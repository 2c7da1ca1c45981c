import pc from 'picocolors'
import t from 'tap'
import { createBoard, type RunBoard } from '../../../dist/cli/run/run-board.js'
import { statusLines, statusSummary } from '../../../dist/cli/run/status-lines.js'

const plain = pc.createColors(false)
const link = { relayId: 'eu1', host: 'play.example.com', port: 7_350, encryption: 'tls', proxied: false } as const
const tunnel = {
  id: 1,
  protocol: 'tcp',
  host: 'play.example.com',
  port: 20_001,
  localHost: '127.0.0.1',
  localPort: 25_565,
  status: 'open',
  relayId: 'eu1',
} as const

function board(...tunnels: (Omit<typeof tunnel, 'status' | 'port'> & { status: string; port: number })[]): RunBoard {
  const made = createBoard()
  made.panel = 'https://panel.example.com'
  made.panelState = 'connected'
  made.device = 'box'
  made.allocations = new Map(tunnels.map((one, index) => [index + 1, { ...one, id: index + 1 }]))
  return made
}

function text(status: Parameters<typeof statusLines>[0]): string {
  return statusLines(status, plain)
    .map((line) => line.map((span) => span.text).join(''))
    .join('\n')
}

t.test('panel, relay with latency and encryption, tunnel with players and rates', async (t) => {
  const rates = new Map([[1, { open: 3, inPerSecond: 2_048, outPerSecond: 0 }]])
  const links = [{ ...link, connected: true, rttMs: 12.34 }]
  const shown = text({ board: board(tunnel), links, refusals: [], rates })
  t.match(shown, /panel +https:\/\/panel\.example\.com {2}connected as box/)
  t.match(shown, /relay +eu1 {2}play\.example\.com:7350 {2}linked {2}12 ms {2}TLS/)
  t.match(shown, /tcp +play\.example\.com:20001 +127\.0\.0\.1:25565 +3 +2\.0 KiB\/s +-/)
  t.equal(
    statusSummary({ board: board(tunnel), links }),
    'connected (https://panel.example.com), 1 of 1 relay linked, 1 tunnel',
  )
})

t.test('a relay goes by its name where it has one', async (t) => {
  const made = board(tunnel)
  made.relayNames = new Map([['eu1', 'Frankfurt']])
  const links = [
    { ...link, connected: true },
    { ...link, relayId: 'us1', connected: false },
  ]
  const shown = text({ board: made, links, refusals: [], rates: new Map() })
  t.match(shown, /relay +Frankfurt {2}play\.example\.com:7350 {2}linked/)
  t.match(shown, /relay +us1 /)
})

t.test('what is wrong is said where it is wrong, and comes first', async (t) => {
  const target = { host: '127.0.0.1', port: 25_565 }
  const refusals = [
    { relayId: 'eu1', allocationId: 2, protocol: 'tcp', target, error: 'target_refused' },
    { relayId: 'eu1', allocationId: 3, protocol: 'tcp', target, error: 'target_forbidden' },
  ] as const
  const made = board(tunnel, { ...tunnel, port: 2 }, { ...tunnel, port: 3 }, { ...tunnel, port: 4, status: 'failed' })
  made.panelState = 'lost'
  made.panelTrouble = 'nothing answers'
  made.linkTroubles.set('us1', 'ECONNREFUSED')
  const links = [
    { ...link, connected: true, encryption: 'off', proxied: true } as const,
    { ...link, relayId: 'us1', connected: false },
  ]
  const shown = text({ board: made, links, refusals, rates: new Map() })
  t.match(shown, /no connection, trying on \(nothing answers\)/)
  t.match(shown, /eu1.*not encrypted {2}by proxy/)
  t.match(shown, /us1.*no link \(ECONNREFUSED: nothing listens there.*\), trying on/)
  t.match(shown, /:2 .*\n +nothing listens there/)
  t.match(shown, /:3 .*\n +not allowed here \(--allow 127\.0\.0\.1:25565/)
  t.match(shown, /:4 .*\n +its relay cannot bind the port/)
  t.ok(shown.indexOf(':20001') > shown.indexOf(':4 '), 'the one that is well comes last')
})

t.test("a relay that the panel does not see is no trouble while the agent's link to it is up", async (t) => {
  const made = board({ ...tunnel, status: 'offline' })
  const up = text({ board: made, links: [{ ...link, connected: true }], refusals: [], rates: new Map() })
  t.notMatch(up, /away|offline/)
  const down = text({ board: made, links: [{ ...link, connected: false }], refusals: [], rates: new Map() })
  t.match(down, /its relay is away/)
})
