import { Authenticator, type Kernel } from '@sallyport/core'
import { authenticationStrategyContract } from '@sallyport/core/testing'
import t from 'tap'
import { createServer, email } from '../dist/server.js'

const header = 'x-forwarded-email'

async function start(): Promise<{ kernel: Kernel; url: string }> {
  const kernel = createServer('correct horse battery staple')
  const { port } = await kernel.listen()
  return { kernel, url: `http://127.0.0.1:${port}` }
}

t.test('keeps the contract of strategies', async (t) => {
  const { kernel } = await start()
  t.teardown(() => kernel.stop())
  const strategy = kernel.get(Authenticator).strategies.find(({ name }) => name === 'trusted-proxy')
  if (!strategy) throw new Error('the strategy is not there')
  // The contract's requests come from an address of the documentation range; the proxy's is put in their place.
  const fromProxy = {
    ...strategy,
    authenticate: (request: Parameters<typeof strategy.authenticate>[0]) =>
      strategy.authenticate({ ...request, peer: '127.0.0.1' }),
  }
  authenticationStrategyContract(t, async () => ({
    strategy: fromProxy,
    valid: { headers: { [header]: email } },
    invalid: [{ headers: { [header]: 'nobody@sallyport.invalid' } }],
    foreign: [{ headers: { authorization: 'Bearer a.b.c' } }],
  }))
  const { kind } = await strategy.authenticate({
    method: 'GET',
    headers: { [header]: email },
    cookies: {},
    ip: '127.0.0.1',
    peer: '192.0.2.1',
  })
  t.equal(kind, 'refused', 'whoever is no proxy is not believed, whatever is said of the client’s address')
})

t.test('over HTTP: the proxy’s user is signed in, and has no session', async (t) => {
  const { kernel, url } = await start()
  t.teardown(() => kernel.stop())
  const get = (headers: Record<string, string>): Promise<Response> => fetch(`${url}/api/auth/session`, { headers })
  const signedIn = await get({ [header]: email })
  t.equal(signedIn.status, 200)
  t.match(await signedIn.json(), { user: { email }, session: null, authentication: { strategy: 'trusted-proxy' } })
  t.equal((await get({})).status, 401)
  t.equal((await get({ [header]: 'nobody@localhost' })).status, 401)
  t.equal((await get({ [header]: email, authorization: 'Bearer nonsense' })).status, 401)
})
