import fc from 'fast-check'
import t from 'tap'
import { deriveChannelKeys, isSameProof, PACKETS_PER_KEY } from '../../dist/datagrams/channel-keys.js'
import { openPacket, packetNumberOf, sealPacket } from '../../dist/datagrams/channel-packet.js'
import { REPLAY_WINDOW, ReplayWindow } from '../../dist/datagrams/channel-replay.js'
import { ChannelSession } from '../../dist/datagrams/channel-session.js'
import { makeSecrets } from './channel-pair.js'

function sealed(session: ChannelSession, text: string): Buffer {
  const packet = session.seal(Buffer.from(text))
  if (packet === undefined) throw new Error('no number left')
  return Buffer.concat(packet)
}

t.test('both sides of a link understand each other, and nobody else', async (t) => {
  const secrets = makeSecrets(Buffer.alloc(32, 9))
  const relay = new ChannelSession('relay', secrets)
  const agent = new ChannelSession('agent', secrets)
  const hello = sealed(agent, 'hello')
  t.match(relay.open(hello), { ok: true, bundle: Buffer.from('hello'), newest: true })
  t.match(agent.open(sealed(relay, 'welcome')), { ok: true, bundle: Buffer.from('welcome') })
  t.equal(relay.proof, agent.proof)
  t.equal(isSameProof(relay.proof, agent.proof), true)
  t.match(relay.open(hello), { ok: false, reason: 'replayed' })
  t.match(agent.open(sealed(agent, 'to myself')), { ok: false, reason: 'forged' }, 'each direction has its own keys')
  for (const other of [
    { ...secrets, ticket: 'x' },
    { ...secrets, salt: Buffer.alloc(32) },
    { ...secrets, exporter: undefined },
    { ...secrets, channel: secrets.channel ^ 1n },
  ]) {
    const stranger = new ChannelSession('relay', other)
    t.match(stranger.open(sealed(agent, 'x')), { ok: false, reason: 'forged' })
    if (other.channel === secrets.channel) t.equal(isSameProof(stranger.proof, agent.proof), false)
  }
})

t.test('a ticket and an exporter that meet elsewhere make other keys', async (t) => {
  const secrets = makeSecrets()
  const one = deriveChannelKeys({ ...secrets, ticket: 'ab', exporter: Buffer.from('cd') })
  const other = deriveChannelKeys({ ...secrets, ticket: 'abc', exporter: Buffer.from('d') })
  t.not(one.proof, other.proof)
})

t.test('no bit of a packet can be changed', async (t) => {
  const secrets = makeSecrets()
  const agent = new ChannelSession('agent', secrets)
  const relay = new ChannelSession('relay', secrets)
  const packet = sealed(agent, 'some items')
  // The first eight bytes say whose packet it is: the endpoint looks at them.
  for (let bit = 64; bit < packet.length * 8; bit += 1) {
    const changed = Buffer.from(packet)
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    t.equal(relay.open(changed).ok, false, `bit ${bit}`)
  }
  t.equal(relay.open(packet).ok, true, 'forgeries do not use up the number')
})

t.test('keys change with the packet number, and late packets of the key before are still read', async (t) => {
  const secrets = makeSecrets()
  const sending = deriveChannelKeys(secrets).toRelay
  const receiving = deriveChannelKeys(secrets).toRelay
  const numbers = [0, PACKETS_PER_KEY - 1, PACKETS_PER_KEY, PACKETS_PER_KEY * 2, PACKETS_PER_KEY * 4, 2 ** 48 - 1]
  const packets = numbers.map((number) => Buffer.concat(sealPacket(1n, number, sending, Buffer.from(`${number}`))))
  t.same(packets.map(packetNumberOf), numbers)
  const open = (index: number) => {
    const packet = packets[index] ?? Buffer.alloc(0)
    return openPacket(packet, numbers[index] ?? 0, receiving)?.toString()
  }
  for (const index of [0, 2, 1, 3, 2]) t.equal(open(index), `${numbers[index]}`)
  t.equal(open(0), undefined, 'the key before that is gone')
  t.equal(open(4), undefined, 'and no key is made for a number that is far off')
  t.equal(open(5), undefined)
  const { toRelay } = deriveChannelKeys(secrets)
  t.notSame(toRelay.use(0).bytes, toRelay.use(PACKETS_PER_KEY).bytes)
})

t.test('a forged number changes no key, and the same key serves all of them', async (t) => {
  const { toRelay } = deriveChannelKeys(makeSecrets())
  const first = toRelay.peek(0)
  const next = toRelay.peek(PACKETS_PER_KEY)
  for (let number = 2 * PACKETS_PER_KEY; number < 2 ** 48; number *= 2) t.equal(toRelay.peek(number), undefined)
  t.equal(toRelay.peek(2 * PACKETS_PER_KEY - 1), next)
  t.equal(toRelay.peek(1), first)
  t.equal(toRelay.use(PACKETS_PER_KEY), next)
  t.equal(toRelay.peek(1), first, 'for late packets')
})

t.test('the window takes every number once, as a set without limits would, within its reach', async (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: -3_000, max: 3_000 }), fc.boolean()), { maxLength: 300 }),
      fc.integer({ min: 0, max: 2 ** 47 }),
      (steps, start) => {
        const window = new ReplayWindow()
        const seen = new Set<number>()
        let at = start
        let newest = -1
        for (const [step, authentic] of steps) {
          const number = Math.max(0, at + step)
          const inReach = newest - number < REPLAY_WINDOW
          const isNew = window.isNew(number)
          if (isNew !== (inReach && !seen.has(number))) t.fail(`${number} with ${newest} the newest: ${isNew}`)
          if (!isNew || !authentic) continue
          window.add(number)
          seen.add(number)
          newest = Math.max(newest, number)
          at = newest
        }
      },
    ),
    { numRuns: 500 },
  )
  t.ok(REPLAY_WINDOW >= 1_024)
})
