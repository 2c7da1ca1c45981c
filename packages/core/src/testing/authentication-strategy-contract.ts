import { deepEqual, equal, ok } from 'node:assert/strict'
import type { AuthenticationRequest, AuthenticationStrategy } from '../identity/authenticator.js'
import { isPermission } from '../identity/permissions.js'
import type { Runner } from './runner.js'

/** What a request carries for a strategy to look at. */
export interface CredentialCarrier {
  readonly headers?: Readonly<Record<string, string>>
  readonly cookies?: Readonly<Record<string, string>>
}

/** A strategy under test, with requests that it must judge. */
export interface AuthenticationStrategyFixture {
  readonly strategy: AuthenticationStrategy
  readonly valid: CredentialCarrier
  /** Its own kind of credential, but forged, expired or revoked. */
  readonly invalid: readonly CredentialCarrier[]
  /** Another strategy's, such as a Bearer token that it did not issue. */
  readonly foreign?: readonly CredentialCarrier[]
  /** Ends the valid credential. */
  readonly revoke?: () => Promise<void>
  readonly dispose?: () => void | Promise<void>
}

const kinds = ['user', 'apiKey', 'device']
/** Headers that no strategy may choke on. */
const nonsense = [
  '',
  ' ',
  'Bearer',
  'Bearer ',
  'Bearer a.b.c',
  'ApiKey ',
  'Basic Og==',
  '\u00ff'.repeat(50),
  'x'.repeat(20_000),
]

/** What every `AuthenticationStrategy` must do. `make` gives a fresh fixture to each test. */
export function authenticationStrategyContract(
  { test }: Runner,
  make: () => Promise<AuthenticationStrategyFixture>,
): void {
  const check = (name: string, body: (fixture: AuthenticationStrategyFixture) => Promise<void>): unknown =>
    test(`authentication strategy: ${name}`, async () => {
      const fixture = await make()
      try {
        await body(fixture)
      } finally {
        await fixture.dispose?.()
      }
    })

  check('finds the principal of a valid credential', async ({ strategy, valid }) => {
    const result = await strategy.authenticate(request(valid))
    equal(result.kind, 'authenticated')
    if (result.kind !== 'authenticated') return
    const { principal } = result
    ok(kinds.includes(principal.kind))
    ok(principal.id !== '')
    equal(principal.strategy, strategy.name)
    ok(principal.permissions.every(isPermission), 'permissions are permissions')
    if (principal.kind === 'user') equal(principal.userId, principal.id)
  })
  check('finds the same principal again', async ({ strategy, valid }) => {
    const [first, second] = [await strategy.authenticate(request(valid)), await strategy.authenticate(request(valid))]
    deepEqual(second, first)
  })
  check('says absent of a request without credentials', async ({ strategy }) => {
    equal((await strategy.authenticate(request({}))).kind, 'absent')
  })
  check('refuses its own invalid credentials with 401 or 403', async ({ strategy, invalid }) => {
    for (const carrier of invalid) {
      const result = await strategy.authenticate(request(carrier))
      equal(result.kind, 'refused')
      if (result.kind === 'refused') ok([401, 403].includes(result.error.status))
    }
  })
  check('leaves others their credentials', async ({ strategy, foreign = [] }) => {
    for (const carrier of foreign) equal((await strategy.authenticate(request(carrier))).kind, 'absent')
  })
  check('neither throws at nonsense nor takes it', async ({ strategy, valid }) => {
    const names = ['authorization', 'cookie', 'x-api-key', ...Object.keys(valid.headers ?? {})]
    for (const value of nonsense) {
      const cookies = Object.fromEntries(Object.keys(valid.cookies ?? {}).map((name) => [name, value]))
      for (const name of names) {
        const result = await strategy.authenticate(request({ headers: { [name.toLowerCase()]: value }, cookies }))
        ok(result.kind !== 'authenticated', `${name} of ${value.length} characters`)
      }
    }
  })
  check('refuses a credential from the moment it is revoked', async ({ strategy, valid, revoke }) => {
    if (!revoke) return
    equal((await strategy.authenticate(request(valid))).kind, 'authenticated')
    await revoke()
    equal((await strategy.authenticate(request(valid))).kind, 'refused')
  })
}

function request({ headers = {}, cookies = {} }: CredentialCarrier): AuthenticationRequest {
  return { method: 'GET', headers, cookies, ip: '192.0.2.1', peer: '192.0.2.1' }
}
