import fc from 'fast-check'
import t from 'tap'
import { encodeFrame, type Frame, FrameReader } from '../../dist/link/frame.js'

const MAX = 64

function readChunks(reader: FrameReader, chunks: Buffer[]): { frames: Frame[]; failed: boolean } {
  const frames: Frame[] = []
  for (const chunk of chunks) {
    let offset = 0
    for (;;) {
      const read = reader.read(chunk, offset)
      if (read.status === 'error') return { frames, failed: true }
      if (read.status === 'more') break
      frames.push(read.frame)
      offset = read.next
    }
  }
  return { frames, failed: false }
}

function cut(bytes: Buffer, lengths: number[]): Buffer[] {
  const chunks: Buffer[] = []
  let at = 0
  for (const length of lengths) {
    chunks.push(bytes.subarray(at, at + length))
    at += length
  }
  chunks.push(bytes.subarray(at))
  return chunks
}

const frames = fc.array(fc.tuple(fc.nat(255), fc.uint8Array({ maxLength: MAX })), { maxLength: 12 })
const cuts = fc.array(fc.nat(20), { maxLength: 60 })

t.test('any chunking gives the same frames', async (t) => {
  fc.assert(
    fc.property(frames, cuts, (list, lengths) => {
      const bytes = Buffer.concat(list.map(([type, payload]) => encodeFrame(type, payload)))
      const result = readChunks(new FrameReader(MAX), cut(bytes, lengths))
      const seen = result.frames.map(({ type, payload }) => [type, [...payload]])
      return !result.failed && JSON.stringify(seen) === JSON.stringify(list.map(([type, p]) => [type, [...p]]))
    }),
    { numRuns: 500 },
  )
  t.pass('held')
})

t.test('garbage never throws and never gives a frame over the bound', async (t) => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 20 }), (chunks) => {
      const { frames } = readChunks(
        new FrameReader(MAX),
        chunks.map((chunk) => Buffer.from(chunk)),
      )
      return frames.every(({ payload }) => payload.length <= MAX)
    }),
    { numRuns: 500 },
  )
  t.pass('held')
})

t.test('a frame announced too large fails with its header and stays failed', async (t) => {
  const reader = new FrameReader(MAX)
  const header = encodeFrame(1, Buffer.alloc(MAX + 1)).subarray(0, 5)
  t.same(reader.read(header, 0), { status: 'error', error: 'frame_too_large' })
  t.same(reader.read(encodeFrame(1, Buffer.alloc(0)), 0), { status: 'error', error: 'frame_too_large' })
})

t.test('what follows a frame is left alone', async (t) => {
  const bytes = Buffer.concat([encodeFrame(9, Buffer.from('abc')), Buffer.from('raw')])
  const read = new FrameReader(MAX).read(bytes, 0)
  t.equal(read.status, 'frame')
  t.equal(read.status === 'frame' && bytes.subarray(read.next).toString(), 'raw')
})
