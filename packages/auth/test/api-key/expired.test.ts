import type { UserDirectory } from '@sallyport/core'
import t from 'tap'
import type { CredentialCache } from '../../dist/credential-cache.js'
import { createApiKeyStrategy, type KnownKey } from '../../dist/strategies/api-key/api-key-strategy.js'
import type { KeyRecord } from '../../dist/strategies/api-key/key-record.js'
import type { KeyStore } from '../../dist/strategies/api-key/key-store.js'
import { generateKey } from '../../dist/strategies/api-key/key-text.js'

t.test('nothing is worked out for a key that has expired, or whose maker has', async (t) => {
  const row = (id: string, madeByKey: string | null, expiresAt: Date | null) =>
    ({ id, madeByKey, expiresAt }) as KeyRecord
  const past = new Date(Date.now() - 1_000)
  for (const chain of [[row('a', null, past)], [row('a', 'b', null), row('b', null, past)]]) {
    const asked: number[] = []
    const strategy = createApiKeyStrategy({
      store: { findByDigest: async () => chain } as unknown as KeyStore,
      // One that keeps nothing.
      cache: {
        peek: () => undefined,
        get: async (_: string, read: () => Promise<unknown>) => read(),
      } as unknown as CredentialCache<KnownKey>,
      users: { findById: async () => void asked.push(1) } as unknown as UserDirectory,
      usage: { note: () => undefined, lastUsedAt: () => null, flush: async () => undefined },
      onAddressRefused: async () => undefined,
    })
    const headers = { 'x-api-key': generateKey('client') }
    const { kind } = await strategy.authenticate({
      method: 'GET',
      headers,
      cookies: {},
      ip: '192.0.2.1',
      peer: '192.0.2.1',
    })
    t.equal(kind, 'refused')
    t.same(asked, [])
  }
})
