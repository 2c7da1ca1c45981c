import { defineEvent, type EventOrigin, type Events } from '@sallyport/core'
import t from 'tap'
import { createCredentialCache, type EndedCredentials, type KnownCredential } from '../../dist/credential-cache.js'

type Handler = (payload: never, origin: EventOrigin) => void | Promise<void>

/** Events without a Redis, that can be cut off. */
function createEvents(): Events & { connected: boolean; resync(): void; handlers: number } {
  const handlers = new Map<string, Set<Handler>>()
  const resyncs = new Set<() => void | Promise<void>>()
  return {
    connected: true,
    async emit({ name }, payload) {
      for (const handler of handlers.get(name) ?? []) await handler(payload as never, { remote: false })
    },
    on({ name }, handler) {
      const known = handlers.get(name) ?? new Set()
      handlers.set(name, known.add(handler as Handler))
      return () => void known.delete(handler as Handler)
    },
    onResync(handler) {
      resyncs.add(handler)
      return () => void resyncs.delete(handler)
    },
    resync() {
      for (const handler of resyncs) handler()
    },
    get handlers() {
      return [...handlers.values()].reduce((sum, entries) => sum + entries.size, resyncs.size)
    },
  }
}

/** A database whose answers come when they are let through. */
function createReads() {
  const waiting: ((found: KnownCredential<string> | undefined) => void)[] = []
  const failing: ((error: Error) => void)[] = []
  return {
    get count() {
      return waiting.length
    },
    read: (): Promise<KnownCredential<string> | undefined> =>
      new Promise((resolve, reject) => {
        waiting.push(resolve)
        failing.push(reject)
      }),
    answer: (index: number, found: KnownCredential<string> | undefined) => waiting[index]?.(found),
    fail: (index: number) => failing[index]?.(new Error('down')),
  }
}

function credential(value: string, more: Partial<KnownCredential<string>> = {}): KnownCredential<string> {
  return { value, id: 'id-1', userId: 'user-1', expiresAt: null, ...more }
}

const never = (): Promise<never> => Promise.reject(new Error('nothing was to be read'))

t.test('keeps what it has read, and forgets by id, by user and on resync', async (t) => {
  const events = createEvents()
  const cache = createCredentialCache<string>({ events, name: 'test' })
  const endings: readonly (() => Promise<void> | void)[] = [
    () => cache.end({ ids: ['id-0', 'id-1'] }),
    () => cache.end({ userId: 'user-1' }),
    () => events.emit(defineEvent<EndedCredentials>('test.ended'), { ids: ['id-1'] }),
    () => events.resync(),
  ]
  for (const end of endings) {
    t.equal(await cache.get('token', async () => credential('found')), 'found')
    t.equal(await cache.get('token', never), 'found')
    t.equal(cache.peek('token'), 'found')
    await end()
    t.equal(cache.peek('token'), undefined)
    t.equal(await cache.get('token', async () => undefined), undefined)
  }
  t.equal(await cache.get('token', async () => credential('found')), 'found')
  await cache.end({ ids: ['id-2'], userId: 'user-2' })
  t.equal(await cache.get('token', never), 'found', "others' endings leave it")
  for (const end of [{ ids: ['id-3'] }, { userId: 'user-3' }]) {
    const dependsOn = { ids: ['id-3', 'id-4'], userIds: ['user-3'] }
    t.equal(await cache.get('dependent', async () => credential('found', { dependsOn })), 'found')
    await cache.end(end)
    t.equal(cache.peek('dependent'), undefined, 'what it depends on has ended')
  }
  await cache.close()
  t.equal(events.handlers, 0)
})

t.test('does not take one credential for another', async (t) => {
  const cache = createCredentialCache<string>({ events: createEvents(), name: 'test' })
  t.equal(await cache.get('token', async () => credential('found')), 'found')
  for (const other of ['toke', 'token ', 'Token', '']) {
    t.equal(await cache.get(other, async () => undefined), undefined, other)
  }
})

t.test('reads once for requests that come together', async (t) => {
  const cache = createCredentialCache<string>({ events: createEvents(), name: 'test' })
  const reads = createReads()
  const answers = Promise.all([cache.get('token', reads.read), cache.get('token', reads.read)])
  t.equal(reads.count, 1)
  reads.answer(0, credential('found'))
  t.same(await answers, ['found', 'found'])
})

t.test('does not keep what is unknown or could not be read', async (t) => {
  const cache = createCredentialCache<string>({ events: createEvents(), name: 'test' })
  t.equal(await cache.get('token', async () => undefined), undefined)
  await t.rejects(
    cache.get('token', () => Promise.reject(new Error('down'))),
    /down/,
  )
  t.equal(await cache.get('token', async () => credential('found')), 'found')
})

t.test('an ending that overtakes a read has the next request read again', async (t) => {
  const events = createEvents()
  const cache = createCredentialCache<string>({ events, name: 'test' })
  for (const end of [() => cache.end({ ids: ['another'] }), () => events.resync()]) {
    const reads = createReads()
    const before = cache.get('token', reads.read)
    await end()
    const after = cache.get('token', reads.read)
    t.equal(reads.count, 2, 'not the read from before the ending')
    reads.answer(1, undefined)
    t.equal(await after, undefined)
    reads.answer(0, credential('from before'))
    t.equal(await before, 'from before', 'it had been asked before')
    t.equal(cache.peek('token'), undefined, 'and is not kept')
  }
})

t.test('a read that an ending overtook does not take the place of the next one', async (t) => {
  const cache = createCredentialCache<string>({ events: createEvents(), name: 'test' })
  const reads = createReads()
  const before = cache.get('token', reads.read)
  await cache.end({ userId: 'user-1' })
  const after = cache.get('token', reads.read)
  reads.answer(0, credential('old'))
  await before
  const third = cache.get('token', reads.read)
  t.equal(reads.count, 2, 'the third waits for the second read')
  reads.answer(1, credential('new'))
  t.same([await after, await third], ['new', 'new'])
  t.equal(cache.peek('token'), 'new')
})

t.test('keeps nothing while events of others do not arrive', async (t) => {
  const events = createEvents()
  const cache = createCredentialCache<string>({ events, name: 'test' })
  t.equal(await cache.get('token', async () => credential('found')), 'found')
  events.connected = false
  t.equal(cache.peek('token'), undefined)
  t.equal(await cache.get('token', async () => undefined), undefined, 'read, in spite of what is known')
  t.equal(await cache.get('other', async () => credential('found')), 'found')
  t.equal(await cache.get('other', async () => undefined), undefined, 'not kept')
})

t.test('nothing outlives its own end or its age, counted from the question', async (t) => {
  let now = 1_000_000
  const clock = { date: () => now, steady: () => now }
  const cache = createCredentialCache<string>({ events: createEvents(), name: 'test', maxAgeMs: 40, clock })
  const expired = credential('found', { expiresAt: new Date(now) })
  t.equal(await cache.get('expired', async () => expired), undefined)
  const soon = credential('found', { expiresAt: new Date(now + 30) })
  t.equal(await cache.get('soon', async () => soon), 'found')
  now += 29
  t.equal(cache.peek('soon'), 'found')
  now += 1
  t.equal(cache.peek('soon'), undefined, 'ended by itself, younger than the most')

  const aged = credential('found')
  t.equal(await cache.get('aged', async () => aged), 'found')
  now += 39
  t.equal(cache.peek('aged'), 'found')
  now += 1
  t.equal(cache.peek('aged'), undefined)

  const reads = createReads()
  const slow = cache.get('slow', reads.read)
  now += 41
  reads.answer(0, credential('found'))
  t.equal(await slow, 'found')
  t.equal(cache.peek('slow'), undefined, 'what the database said is as old as the question')
})

t.test('is bounded', async (t) => {
  const cache = createCredentialCache<string>({ events: createEvents(), name: 'test', maxEntries: 3 })
  for (let n = 0; n < 10; n += 1) await cache.get(`token-${n}`, async () => credential('found'))
  const kept = Array.from({ length: 10 }, (_, n) => cache.peek(`token-${n}`))
  t.equal(kept.filter(Boolean).length, 3)
  t.equal(cache.peek('token-9'), 'found')
})
