import { ok } from 'node:assert/strict'
import type { Runner } from '@sallyport/core/testing'
import type { RelayCandidate, RelayPolicy, RelayRequest } from '../relays/relay-policy.js'

const request: RelayRequest = {
  deviceId: '00000000-0000-4000-8000-000000000001',
  ownerId: 'owner',
  organisationId: 'guild',
  region: 'north',
  protocols: ['tcp', 'udp'],
}

const candidate: RelayCandidate = {
  id: 'a',
  host: 'a.example.com',
  hostGroup: 'a.example.com',
  region: 'north',
  labels: { tier: 'one' },
  organisationId: null,
  capacity: 100,
  allocations: 1,
  connections: 1,
}

const bare = { region: null, labels: {}, capacity: null, allocations: 0, connections: 0 }
const candidates: readonly RelayCandidate[] = [
  candidate,
  { ...candidate, ...bare, id: 'b', host: 'b.example.com', hostGroup: 'b.example.com' },
  { ...candidate, id: 'c', organisationId: 'guild', allocations: 99 },
]
/** Longest that a choice may take, in milliseconds: somebody waits for an allocation. */
const maxMs = 2_000

/** What every `RelayPolicy` must do. */
export function relayPolicyContract({ test }: Runner, policy: RelayPolicy): void {
  const requests: readonly RelayRequest[] = [
    request,
    { ...request, ownerId: null, organisationId: null, region: null, protocols: ['udp'] },
  ]
  const check = (name: string, body: () => Promise<void>): unknown => test(`relay policy: ${name}`, body)

  check('gives only candidates, each once', async () => {
    for (const one of requests) {
      const chosen = await policy(one, candidates)
      ok(Array.isArray(chosen))
      const ids = chosen.map(({ id }) => id)
      ok(
        ids.every((id) => candidates.some((known) => known.id === id)),
        'none that it was not given',
      )
      ok(new Set(ids).size === ids.length, 'none twice')
    }
  })
  check('takes one candidate', async () => {
    for (const one of requests) {
      for (const only of candidates) ok((await policy(one, [only])).every(({ id }) => id === only.id))
    }
  })
  check('changes nothing of what it is given', async () => {
    const frozen = Object.freeze(candidates.map((one) => Object.freeze({ ...one, labels: Object.freeze(one.labels) })))
    await policy(Object.freeze({ ...request }), frozen)
  })
  check('answers in time', async () => {
    const many = Array.from({ length: 1_000 }, (_, n) => ({ ...candidate, id: `r${n}`, allocations: n % 7 }))
    const begun = performance.now()
    await policy(request, many)
    ok(performance.now() - begun < maxMs)
  })
}
