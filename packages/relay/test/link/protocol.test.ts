import fc from 'fast-check'
import t from 'tap'
import * as protocol from '../../dist/link/protocol.js'

const parsers = {
  parseLink: protocol.parseLink,
  parseWelcome: protocol.parseWelcome,
  parseRefused: protocol.parseRefused,
  parseData: protocol.parseData,
  parseOrder: protocol.parseOrder,
  parseShort: protocol.parseShort,
  parseStart: protocol.parseStart,
  parseRefuse: protocol.parseRefuse,
  parseDatagrams: protocol.parseDatagrams,
}

const start = {
  allocationId: 2,
  target: { host: 'localhost', port: 25565 },
  remoteAddress: '203.0.113.9',
  remotePort: 4000,
} as const

const welcome = {
  protocol: protocol.PROTOCOL_VERSION,
  deviceId: 'd',
  resume: 'r',
  heartbeatMs: 3000,
  datagrams: { channel: '00ff'.repeat(4), salt: 's'.repeat(43), flows: 'f' },
}

t.test('what is encoded is parsed', async (t) => {
  const { encodeMessage } = protocol
  t.same(protocol.parseStart(encodeMessage(start)), start)
  const link = { protocol: 1, ticket: 't', version: '1' }
  t.same(protocol.parseLink(encodeMessage(link)), link)
  t.same(protocol.parseWelcome(encodeMessage(welcome)), welcome)
  t.same(protocol.parseRefused(encodeMessage({ error: 'busy' })), { error: 'busy' })
  t.same(protocol.parseData(encodeMessage({ token: 'x', more: 1 })), { token: 'x' })
  const tokens = Array.from({ length: protocol.MAX_ORDER }, (_, n) => `token-${n}`)
  t.same(protocol.parseOrder(encodeMessage({ tokens })), { tokens })
  t.same(protocol.parseShort(encodeMessage({ tokens, error: 'agent_busy' })), { tokens, error: 'agent_busy' })
  t.same(protocol.parseRefuse(encodeMessage({ error: 'target_refused' })), { error: 'target_refused' })
  const datagrams = { channel: '0123456789abcdef', proof: 'p' }
  t.same(protocol.parseDatagrams(encodeMessage(datagrams)), datagrams)
})

t.test('bad fields are refused', async (t) => {
  const refused = (parse: (payload: Buffer) => unknown, good: object, changes: object[]) => {
    t.ok(parse(protocol.encodeMessage(good)))
    for (const change of changes)
      t.equal(parse(protocol.encodeMessage({ ...good, ...change })), undefined, JSON.stringify(change))
  }
  refused(protocol.parseStart, start, [
    { allocationId: -1 },
    { allocationId: 1.5 },
    { allocationId: '1' },
    { target: null },
    { target: { host: 'a\0b', port: 1 } },
    { target: { host: 'a', port: 0 } },
    { target: { host: 'a', port: 65_536 } },
    { remoteAddress: 'example.org' },
    { remotePort: [4000] },
  ])
  const { datagrams } = welcome
  refused(protocol.parseWelcome, welcome, [
    { protocol: 1 },
    { heartbeatMs: 0 },
    { datagrams: undefined },
    { datagrams: { ...datagrams, channel: 'not hexadecimal' } },
    { datagrams: { ...datagrams, salt: 'short' } },
    { datagrams: { ...datagrams, flows: '' } },
  ])
  refused(protocol.parseOrder, { tokens: ['a'] }, [
    { tokens: [] },
    { tokens: 'a' },
    { tokens: [''] },
    { tokens: ['x'.repeat(65)] },
    { tokens: Array(protocol.MAX_ORDER + 1).fill('a') },
  ])
  refused(protocol.parseShort, { tokens: ['a'], error: 'agent_busy' }, [{ error: 'no_link' }, { tokens: [1] }])
  refused(protocol.parseDatagrams, { channel: '0123456789abcdef', proof: 'p' }, [{ channel: 'x' }, { proof: '' }])
  t.equal(protocol.parseRefused(protocol.encodeMessage({ error: 'constructor' })), undefined)
  t.equal(protocol.parseRefuse(protocol.encodeMessage({ error: 'no_link' })), undefined)
})

t.test('garbage never throws', async (t) => {
  const payload = fc.oneof(
    fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
    fc.json().map((text) => Buffer.from(text)),
    fc
      .record(
        {
          error: fc.anything(),
          token: fc.anything(),
          tokens: fc.anything(),
          target: fc.anything(),
          datagrams: fc.anything(),
          channel: fc.anything(),
        },
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
