import fc from 'fast-check'
import t from 'tap'
import { encodeFlow, type FlowMessage, parseFlow, sameFlow } from '../../dist/flows/flow-message.js'

const MESSAGE: FlowMessage = {
  allocationId: 7,
  target: { host: '127.0.0.1', port: 9 },
  remoteAddress: '2001:db8::1',
  remotePort: 4_000,
}

t.test('what was said is read, with a header and without', async (t) => {
  const withHeader = { ...MESSAGE, header: Buffer.alloc(52, 1).toString('base64') }
  for (const message of [MESSAGE, withHeader]) {
    t.same(parseFlow(encodeFlow(message)), message)
    t.ok(sameFlow(message, message))
  }
  t.notOk(sameFlow(MESSAGE, withHeader))
  t.notOk(sameFlow(MESSAGE, { ...MESSAGE, remotePort: 4_001 }))
})

t.test('headers that are none are refused', async (t) => {
  for (const header of [7, null, {}, 'no base64!', 'A'.repeat(400)])
    t.equal(parseFlow(Buffer.from(JSON.stringify({ ...MESSAGE, header }))), undefined)
})

t.test('garbage never throws', async (t) => {
  const garbage = fc.oneof(
    fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
    fc.json().map((text) => Buffer.from(text)),
  )
  fc.assert(
    fc.property(garbage, (payload) => parseFlow(payload) === undefined),
    { numRuns: 500 },
  )
  t.pass('held')
})
