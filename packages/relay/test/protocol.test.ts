import fc from 'fast-check'
import t from 'tap'
import * as protocol from '../dist/protocol.js'

const parsers = {
  parseLink: protocol.parseLink,
  parseWelcome: protocol.parseWelcome,
  parseRefused: protocol.parseRefused,
  parseOpen: protocol.parseOpen,
  parseReject: protocol.parseReject,
  parseData: protocol.parseData,
}

const open = {
  connectionId: 1,
  allocationId: 2,
  protocol: 'tcp',
  token: 'abc',
  target: { host: 'localhost', port: 25565 },
  remoteAddress: '203.0.113.9',
  remotePort: 4000,
} as const

t.test('what is encoded is parsed', async (t) => {
  t.same(protocol.parseOpen(protocol.encodeMessage(open)), open)
  const link = { protocol: 1, ticket: 't', version: '1' }
  t.same(protocol.parseLink(protocol.encodeMessage(link)), link)
  const welcome = { protocol: 1, deviceId: 'd', resume: 'r', heartbeatMs: 3000 }
  t.same(protocol.parseWelcome(protocol.encodeMessage(welcome)), welcome)
  t.same(protocol.parseReject(protocol.encodeMessage({ connectionId: 1, error: 'target_refused' })), {
    connectionId: 1,
    error: 'target_refused',
  })
  t.same(protocol.parseRefused(protocol.encodeMessage({ error: 'busy' })), { error: 'busy' })
  t.same(protocol.parseData(protocol.encodeMessage({ token: 'x', more: 1 })), { token: 'x' })
})

t.test('bad fields are refused', async (t) => {
  const bad: Record<string, unknown>[] = [
    { connectionId: -1 },
    { connectionId: 1.5 },
    { connectionId: '1' },
    { protocol: 'sctp' },
    { token: '' },
    { token: 'x'.repeat(65) },
    { target: null },
    { target: { host: 'a\0b', port: 1 } },
    { target: { host: 'a', port: 0 } },
    { target: { host: 'a', port: 65_536 } },
    { remoteAddress: 'example.org' },
    { remotePort: [4000] },
  ]
  for (const change of bad)
    t.equal(protocol.parseOpen(protocol.encodeMessage({ ...open, ...change })), undefined, JSON.stringify(change))
  t.equal(protocol.parseRefused(protocol.encodeMessage({ error: 'constructor' })), undefined)
  t.equal(protocol.parseReject(protocol.encodeMessage({ connectionId: 1, error: 'no_link' })), undefined)
})

t.test('garbage never throws', async (t) => {
  const payload = fc.oneof(
    fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
    fc.json().map((text) => Buffer.from(text)),
    fc
      .record(
        { connectionId: fc.anything(), error: fc.anything(), token: fc.anything(), target: fc.anything() },
        { requiredKeys: [] },
      )
      .map((value) => Buffer.from(JSON.stringify(value) ?? '')),
  )
  for (const [name, parse] of Object.entries(parsers)) {
    fc.assert(
      fc.property(payload, (bytes) => {
        parse(bytes)
      }),
      { numRuns: 200 },
    )
    t.pass(name)
  }
})
