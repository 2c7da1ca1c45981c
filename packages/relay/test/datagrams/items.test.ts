import fc from 'fast-check'
import t from 'tap'
import { ItemReader } from '../../dist/datagrams/channel-item-reader.js'
import { ITEM_HEADER_BYTES, MAX_ITEM_BYTES, readItems, writeItem } from '../../dist/datagrams/channel-items.js'

interface Item {
  kind: number
  flow: number
  payload: Buffer
}

const anItem: fc.Arbitrary<Item> = fc.record({
  kind: fc.integer({ min: 0, max: 255 }),
  flow: fc.integer({ min: 0, max: 0xffff_ffff }),
  payload: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
})

function encode(items: Item[]): Buffer {
  const bytes = Buffer.alloc(items.reduce((sum, { payload }) => sum + ITEM_HEADER_BYTES + payload.length, 0))
  let at = 0
  for (const { kind, flow, payload } of items) at = writeItem(bytes, at, kind, flow, payload)
  if (at !== bytes.length) throw new Error('not filled')
  return bytes
}

function collect(into: Item[]): (kind: number, flow: number, payload: Buffer) => void {
  return (kind, flow, payload) => into.push({ kind, flow, payload: Buffer.from(payload) })
}

t.test('a bundle gives back the items it was made of', async (t) => {
  fc.assert(
    fc.property(fc.array(anItem, { maxLength: 20 }), (items) => {
      const bytes = encode(items)
      const found: Item[] = []
      t.equal(readItems(bytes, collect(found)), bytes.length)
      t.same(found, items)
    }),
  )
})

t.test('a stream gives back the items however it is cut', async (t) => {
  fc.assert(
    fc.property(fc.array(anItem, { maxLength: 10 }), fc.array(fc.nat(40), { minLength: 1 }), (items, cuts) => {
      const bytes = encode(items)
      const found: Item[] = []
      const reader = new ItemReader()
      for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
        const end = at + 1 + (cuts[turn % cuts.length] ?? 0)
        t.equal(reader.read(bytes.subarray(at, end), collect(found)), true)
        at = end
      }
      t.same(found, items)
    }),
  )
})

t.test('the largest item passes, a larger one is refused before it is waited for', async (t) => {
  const largest = encode([{ kind: 4, flow: 1, payload: Buffer.alloc(MAX_ITEM_BYTES, 7) }])
  const found: Item[] = []
  const reader = new ItemReader()
  for (let at = 0; at < largest.length; at += 1_000) reader.read(largest.subarray(at, at + 1_000), collect(found))
  t.equal(found[0]?.payload.length, MAX_ITEM_BYTES)
  const tooLarge = Buffer.from([4, 0, 0, 0, 1, 0xff, 0xff])
  t.equal(
    readItems(tooLarge, () => {}),
    -1,
  )
  t.equal(
    new ItemReader().read(tooLarge, () => {}),
    false,
  )
  const byBytes = new ItemReader()
  t.equal(
    [...tooLarge].every((byte) => byBytes.read(Buffer.of(byte), () => {})),
    false,
  )
})

t.test('any bytes at all are read without harm, the same in one piece and in many', async (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 500 }), fc.integer({ min: 1, max: 50 }), (raw, step) => {
      const bytes = Buffer.from(raw)
      const whole: Item[] = []
      const pieces: Item[] = []
      readItems(bytes, collect(whole))
      const reader = new ItemReader()
      for (let at = 0; at < bytes.length; at += step)
        if (!reader.read(bytes.subarray(at, at + step), collect(pieces))) break
      t.same(pieces, whole)
    }),
  )
})
