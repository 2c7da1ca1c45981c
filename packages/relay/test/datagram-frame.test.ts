import fc from 'fast-check'
import t from 'tap'
import { DatagramReader, encodeDatagram, MAX_DATAGRAM_BYTES } from '../dist/datagram-frame.js'

function readAll(bytes: Buffer, lengths: number[]): number[][] | undefined {
  const reader = new DatagramReader()
  const seen: number[][] = []
  let at = 0
  for (const length of [...lengths, bytes.length]) {
    const chunk = bytes.subarray(at, Math.min(bytes.length, at + length))
    at += chunk.length
    if (!reader.read(chunk, (payload) => seen.push([...payload]))) return undefined
  }
  return seen
}

t.test('any chunking gives the same datagrams, empty ones too', async (t) => {
  const datagrams = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 12 })
  fc.assert(
    fc.property(datagrams, fc.array(fc.nat(40), { maxLength: 80 }), (list, lengths) => {
      const seen = readAll(Buffer.concat(list.map(encodeDatagram)), lengths)
      return JSON.stringify(seen) === JSON.stringify(list.map((payload) => [...payload]))
    }),
    { numRuns: 500 },
  )
  t.pass('held')
})

t.test('byte by byte', async (t) => {
  const list = [Buffer.alloc(0), Buffer.from([1]), Buffer.alloc(300, 7), Buffer.alloc(0)]
  const bytes = Buffer.concat(list.map(encodeDatagram))
  t.same(
    readAll(
      bytes,
      Array.from(bytes, () => 1),
    ),
    list.map((payload) => [...payload]),
  )
})

t.test('the largest datagram passes, a longer announcement does not', async (t) => {
  const sizes: number[] = []
  const reader = new DatagramReader()
  t.ok(reader.read(encodeDatagram(Buffer.alloc(MAX_DATAGRAM_BYTES)), (payload) => sizes.push(payload.length)))
  t.same(sizes, [MAX_DATAGRAM_BYTES])
  t.notOk(new DatagramReader().read(Buffer.from([0xff, 0xff]), () => {}))
  const split = new DatagramReader()
  t.ok(split.read(Buffer.from([0xff]), () => {}))
  t.notOk(split.read(Buffer.from([0xff]), () => {}))
})

t.test('garbage never throws', async (t) => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 500 }), { maxLength: 20 }), (chunks) => {
      const reader = new DatagramReader()
      return chunks.every((chunk) => typeof reader.read(Buffer.from(chunk), () => {}) === 'boolean')
    }),
    { numRuns: 300 },
  )
  t.pass('held')
})
