import fc from 'fast-check'
import t from 'tap'
import { CONTROL_LIMITS, MAX_AGENT_MESSAGE_BYTES, MAX_PANEL_MESSAGE_BYTES } from '../../dist/control/control.js'
import { parseAgentMessage, parsePanelMessage, parseRelayMessage } from '../../dist/control/control-parser.js'

const hello = { type: 'hello', protocol: 1, version: '0.1.0', platform: 'linux-x64' }
const status = {
  type: 'status',
  revision: 4,
  relays: [{ id: 'eu1', connected: true, rttMs: 1.5 }],
  refused: [{ allocationId: 7, error: 'target_forbidden' }],
}
const request = { type: 'ticket', relayId: 'eu1' }
const welcome = { type: 'welcome', protocol: 1, deviceId: 'd1', name: 'box', heartbeatMs: 5_000 }
const allocation = {
  id: 1,
  protocol: 'tcp',
  host: 'play.example.com',
  port: 20_001,
  localHost: '::1',
  localPort: 25_565,
  status: 'open',
  relayId: 'eu1',
}
const relay = { id: 'eu1', host: '127.0.0.1', port: 7_350, ticket: 'a.b' }
const pinned = { ...relay, id: 'eu2', fingerprint: '0a'.repeat(32), encryption: 'tls' }
const plain = { ...relay, id: 'eu3', encryption: 'off' }
const state = { type: 'state', revision: 0, allocations: [allocation], relays: [relay, pinned, plain] }
const ticket = { type: 'ticket', relayId: 'eu1', ticket: 'abc.def' }
const error = { type: 'error', error: 'feature_disabled', detail: '' }

const relayHello = {
  publicHost: 'play.example.com',
  dataPort: 7_350,
  fingerprint: '0f'.repeat(32),
  encryption: 'tls',
  hostGroup: 'eu',
  region: 'eu-west',
  labels: { tier: 'gold', 'a.b/c': '' },
  capacity: 1_000,
  portRange: { from: 20_000, to: 29_999 },
  ticketKey: Buffer.alloc(32, 7).toString('base64url'),
  epoch: 'b7c7b5c0-4a3a-4d7e-8a58-3f1c4f0f7a11',
  revision: 12,
  time: 1_700_000_000_000,
}
const helloOfRelay = { ...hello, relay: relayHello }
const relayStatus = {
  type: 'relay_status',
  revision: 3,
  allocations: [
    { id: 1, status: 'listening' },
    { id: 2, status: 'failed', error: 'EADDRINUSE' },
  ],
  devices: 2,
  connections: 5,
  draining: false,
  time: 1_700_000_000_000,
}
const relayTraffic = { type: 'relay_traffic', epoch: 'e1', totals: [[1, 10, 20, 3, 1]] }
const endedConnection = {
  allocationId: 1,
  protocol: 'tcp',
  remoteAddress: 'fe80::1%eth0',
  remotePort: 40_000,
  bytesIn: 1,
  bytesOut: 2,
  durationMs: 3,
  reason: 'end',
}
const relayConnections = { type: 'relay_connections', ended: [endedConnection], dropped: 0 }
const question = {
  type: 'admission',
  id: 0,
  allocationId: 1,
  protocol: 'udp',
  remoteAddress: '203.0.113.9',
  remotePort: 4_000,
}
const answer = { type: 'admission', id: 0, allow: false }
const welcomeToRelay = { ...welcome, admission: { timeoutMs: 1_000, otherwise: 'deny' } }
const served = {
  id: 1,
  deviceId: 'd1',
  protocol: 'tcp',
  port: 20_001,
  target: { host: 'localhost', port: 25_565 },
  paused: false,
}
const relayState = { type: 'relay_state', revision: 3, part: 0, parts: 1, allocations: [served] }
const relayChange = { type: 'relay_change', base: 3, revision: 4, part: 0, parts: 1, upsert: [served], remove: [9] }
const relayDisconnect = { type: 'relay_disconnect', deviceId: 'd1' }

t.test('every message passes through its parser unchanged', (t) => {
  for (const message of [hello, status, { ...status, refused: undefined }, request, helloOfRelay]) {
    const plain = JSON.parse(JSON.stringify(message))
    t.strictSame(parseAgentMessage(JSON.stringify(message)), { ok: true, message: plain })
  }
  for (const message of [relayStatus, relayTraffic, relayConnections, question]) {
    t.strictSame(parseRelayMessage(JSON.stringify(message)), { ok: true, message })
  }
  const toRelays = [welcomeToRelay, relayState, relayChange, relayDisconnect, answer]
  for (const message of [welcome, state, ticket, error, ...toRelays]) {
    t.strictSame(parsePanelMessage(JSON.stringify(message)), { ok: true, message })
  }
  t.end()
})

t.test('unknown fields are dropped, also __proto__', (t) => {
  const text = '{"type":"ticket","relayId":"eu1","extra":1,"__proto__":{"polluted":true}}'
  const parsed = parseAgentMessage(text)
  t.strictSame(parsed, { ok: true, message: request })
  t.equal(({} as { polluted?: boolean }).polluted, undefined)
  t.end()
})

t.test('fields are own fields: nothing is taken from a prototype', (t) => {
  t.match(parsePanelMessage('{"__proto__":{"type":"error","error":"x","detail":""}}'), { ok: false, field: 'type' })
  t.match(parsePanelMessage('{"type":"constructor"}'), { ok: false, error: 'unknown_type' })
  t.end()
})

t.test('an unknown type is told apart, a newer peer may send it', (t) => {
  t.strictSame(parsePanelMessage('{"type":"future"}'), { ok: false, error: 'unknown_type' })
  t.strictSame(parseAgentMessage(JSON.stringify(state)), { ok: false, error: 'unknown_type' })
  t.strictSame(parseAgentMessage(JSON.stringify(relayStatus)), { ok: false, error: 'unknown_type' })
  t.strictSame(parseRelayMessage(JSON.stringify(status)), { ok: false, error: 'unknown_type' })
  t.end()
})

t.test('what is no JSON object is bad_json', (t) => {
  for (const text of ['', 'x', '[]', 'null', '1', '"hello"', '{', `${'['.repeat(50_000)}`]) {
    t.equal((parsePanelMessage(text) as { error: string }).error, 'bad_json', text.slice(0, 10))
  }
  t.end()
})

t.test('size limits count bytes, not characters', (t) => {
  const padded = (bytes: number) => JSON.stringify({ ...request, pad: 'é'.repeat(bytes / 2) })
  t.match(parseAgentMessage(padded(MAX_AGENT_MESSAGE_BYTES)), { ok: false, error: 'too_large' })
  t.match(parseAgentMessage(padded(MAX_AGENT_MESSAGE_BYTES - 1_000)), { ok: true })
  t.match(parsePanelMessage(padded(MAX_PANEL_MESSAGE_BYTES)), { ok: false, error: 'too_large' })
  t.end()
})

t.test('a bad field is named by its path', (t) => {
  const cases: [unknown, string][] = [
    [{ ...welcome, heartbeatMs: 1 }, 'heartbeatMs'],
    [{ ...welcome, heartbeatMs: 3_600_000 }, 'heartbeatMs'],
    [{ ...welcome, name: 'a\u001b[31m' }, 'name'],
    [{ ...state, revision: -1 }, 'revision'],
    [{ ...state, revision: '1' }, 'revision'],
    [{ ...state, relays: undefined }, 'relays'],
    [{ ...state, relays: Array.from({ length: CONTROL_LIMITS.relays + 1 }, () => relay) }, 'relays'],
    [{ ...state, relays: [relay, { ...relay, port: 0 }] }, 'relays[1].port'],
    [{ ...state, relays: [{ ...relay, ticket: 'has space' }] }, 'relays[0].ticket'],
    [{ ...state, relays: [{ ...relay, host: 'user@host' }] }, 'relays[0].host'],
    [{ ...state, relays: [{ ...relay, fingerprint: '0A'.repeat(32) }] }, 'relays[0].fingerprint'],
    [{ ...state, relays: [{ ...relay, fingerprint: '0a'.repeat(31) }] }, 'relays[0].fingerprint'],
    [{ ...state, relays: [{ ...relay, encryption: 'none' }] }, 'relays[0].encryption'],
    [{ ...state, relays: [{ ...relay, id: 'x'.repeat(CONTROL_LIMITS.idLength + 1) }] }, 'relays[0].id'],
    [{ ...state, allocations: [null] }, 'allocations[0]'],
    [{ ...state, allocations: [{ ...allocation, protocol: 'sctp' }] }, 'allocations[0].protocol'],
    [{ ...state, allocations: [{ ...allocation, localPort: 65_536 }] }, 'allocations[0].localPort'],
    [{ ...state, allocations: [{ ...allocation, id: 1.5 }] }, 'allocations[0].id'],
    [{ ...ticket, ticket: '' }, 'ticket'],
    [{ ...error, error: 'Not A Code' }, 'error'],
  ]
  for (const [message, field] of cases) {
    t.strictSame(parsePanelMessage(JSON.stringify(message)), { ok: false, error: 'bad_message', field })
  }
  const tooMany = Array.from({ length: CONTROL_LIMITS.refused + 1 }, () => ({ allocationId: 1, error: 'x' }))
  t.match(parseAgentMessage(JSON.stringify({ ...status, refused: tooMany })), { field: 'refused' })
  t.match(parseAgentMessage(JSON.stringify({ ...status, refused: null })), { field: 'refused' })
  t.match(parseAgentMessage(JSON.stringify({ ...status, relays: [{ id: 'a', connected: 'yes' }] })), {
    field: 'relays[0].connected',
  })
  t.end()
})

t.test('a bad field of a relay or for a relay is named by its path', (t) => {
  const ofHello = (relay: object) => ({ ...hello, relay: { ...relayHello, ...relay } })
  const many = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`l${index}`, 'x']))
  const agent: [unknown, string][] = [
    [{ ...hello, relay: null }, 'relay'],
    [ofHello({ publicHost: 'a b' }), 'relay.publicHost'],
    [ofHello({ dataPort: 0 }), 'relay.dataPort'],
    [ofHello({ fingerprint: 'f'.repeat(65) }), 'relay.fingerprint'],
    [ofHello({ fingerprint: null }), 'relay.fingerprint'],
    [ofHello({ encryption: true }), 'relay.encryption'],
    [ofHello({ ticketKey: Buffer.alloc(31).toString('base64url') }), 'relay.ticketKey'],
    [ofHello({ ticketKey: Buffer.alloc(65).toString('base64url') }), 'relay.ticketKey'],
    [ofHello({ ticketKey: `${'A'.repeat(42)}B` }), 'relay.ticketKey'],
    [ofHello({ portRange: { from: 9, to: 8 } }), 'relay.portRange.to'],
    [ofHello({ labels: many(CONTROL_LIMITS.labels + 1) }), 'relay.labels'],
    [ofHello({ labels: JSON.parse('{"__proto__":"x"}') }), 'relay.labels'],
    [ofHello({ labels: { tier: 1 } }), 'relay.labels.tier'],
    [ofHello({ capacity: -1 }), 'relay.capacity'],
    [ofHello({ time: 1.5 }), 'relay.time'],
  ]
  for (const [message, field] of agent) {
    t.strictSame(parseAgentMessage(JSON.stringify(message)), { ok: false, error: 'bad_message', field })
  }
  const rows = (count: number) => Array.from({ length: count }, () => [1, 1, 1, 1, 1])
  const ended = (fields: object) => ({ ...relayConnections, ended: [{ ...endedConnection, ...fields }] })
  const ofRelay: [unknown, string][] = [
    [{ ...relayStatus, allocations: [{ id: 1, status: 'open' }] }, 'allocations[0].status'],
    [{ ...relayStatus, allocations: [{ id: 1, status: 'failed', error: 'a b' }] }, 'allocations[0].error'],
    [{ ...relayStatus, draining: 0 }, 'draining'],
    [{ ...relayTraffic, totals: [[1, 2, 3, 4]] }, 'totals[0]'],
    [{ ...relayTraffic, totals: [[1, 2, 3, 4, 5, 6]] }, 'totals[0]'],
    [{ ...relayTraffic, totals: [[1, -2, 3, 4, 5]] }, 'totals[0][1]'],
    [{ ...relayTraffic, totals: rows(CONTROL_LIMITS.relayTotals + 1) }, 'totals'],
    [ended({ reason: 'bored' }), 'ended[0].reason'],
    [ended({ remoteAddress: 'x'.repeat(65) }), 'ended[0].remoteAddress'],
    [{ ...question, id: -1 }, 'id'],
  ]
  for (const [message, field] of ofRelay) {
    t.strictSame(parseRelayMessage(JSON.stringify(message)), { ok: false, error: 'bad_message', field })
  }
  const removed = Array.from({ length: CONTROL_LIMITS.relayPartAllocations + 1 }, (_, index) => index)
  const toRelay: [unknown, string][] = [
    [{ ...welcome, admission: { timeoutMs: 1, otherwise: 'deny' } }, 'admission.timeoutMs'],
    [{ ...welcome, admission: { timeoutMs: 100, otherwise: 'maybe' } }, 'admission.otherwise'],
    [{ ...relayState, part: 1 }, 'part'],
    [{ ...relayState, parts: 0 }, 'parts'],
    [{ ...relayState, parts: CONTROL_LIMITS.relayParts + 1 }, 'parts'],
    [
      { ...relayState, allocations: [served, { ...served, target: { host: '', port: 1 } }] },
      'allocations[1].target.host',
    ],
    [{ ...relayChange, revision: 3 }, 'revision'],
    [{ ...relayChange, remove: ['1'] }, 'remove[0]'],
    [{ ...relayChange, remove: removed }, 'remove'],
    [{ ...relayChange, upsert: [null] }, 'upsert[0].id'],
    [{ ...relayDisconnect, deviceId: '' }, 'deviceId'],
    [{ ...answer, allow: 'yes' }, 'allow'],
  ]
  for (const [message, field] of toRelay) {
    t.strictSame(parsePanelMessage(JSON.stringify(message)), { ok: false, error: 'bad_message', field })
  }
  t.end()
})

t.test('fuzz: no text makes a parser throw', (t) => {
  const check = (text: string) => {
    for (const parsed of [parseAgentMessage(text), parsePanelMessage(text), parseRelayMessage(text)]) {
      if (typeof parsed.ok !== 'boolean') return false
    }
    return true
  }
  fc.assert(fc.property(fc.string({ unit: 'binary' }), check), { numRuns: 500 })
  fc.assert(fc.property(fc.json(), check), { numRuns: 500 })
  t.pass()
  t.end()
})

t.test('fuzz: a message with one value replaced is taken within the bounds or refused, and never throws', (t) => {
  const ofRelay = [helloOfRelay, relayStatus, relayTraffic, relayConnections, question]
  const toRelay = [welcomeToRelay, relayState, relayChange, relayDisconnect, answer]
  const whole = [hello, status, request, welcome, state, ticket, error, ...ofRelay, ...toRelay]
  fc.assert(
    fc.property(fc.constantFrom(...whole), fc.nat(), fc.jsonValue({ maxDepth: 3 }), (message, pick, value) => {
      const text = JSON.stringify(replaceOne(message, pick, value))
      for (const parse of [parseAgentMessage, parsePanelMessage, parseRelayMessage]) {
        const parsed = parse(text)
        // What was taken is taken again, whole: nothing unbounded or unread hides in a message.
        if (parsed.ok && JSON.stringify(parse(JSON.stringify(parsed.message))) !== JSON.stringify(parsed)) return false
      }
      return true
    }),
    { numRuns: 2_000 },
  )
  t.pass()
  t.end()
})

/** A copy of `root` with the value at one of its paths exchanged. */
function replaceOne(root: unknown, pick: number, value: unknown): unknown {
  const copy = structuredClone(root)
  const places: [Record<string, unknown>, string][] = []
  const visit = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return
    for (const key of Object.keys(node)) {
      places.push([node as Record<string, unknown>, key])
      visit((node as Record<string, unknown>)[key])
    }
  }
  visit(copy)
  const place = places[pick % places.length]
  if (place) place[0][place[1]] = value
  return copy
}
