import t from 'tap'
import { passkey } from '../../dist/index.js'
import { challenge, register, signIn, startPasskeyPanel } from './support.js'

t.test('a configuration that no browser would take is refused', async (t) => {
  const bad = {
    'plain http': { origins: ['http://panel.example.com'] },
    'an address': { origins: ['https://192.0.2.1'] },
    'an IPv6 address': { origins: ['https://[2001:db8::1]'] },
    'a path': { origins: ['https://panel.example.com/'] },
    'a default port': { origins: ['https://panel.example.com:443'] },
    'upper case': { origins: ['https://Panel.example.com'] },
    'no URL': { origins: ['panel.example.com'] },
    'another scheme': { origins: ['ftp://panel.example.com'] },
    'no origin': { origins: [] },
    'an rpId that is a URL': { rpId: 'https://example.com' },
    'an rpId with a port': { rpId: 'localhost:3000' },
    'an rpId that is an address': { rpId: '127.0.0.1' },
    'an empty rpId': { rpId: '' },
    'an rpId beside the origin': { rpId: 'example.org', origins: ['https://panel.example.com'] },
    'an rpId below the origin': { rpId: 'a.panel.example.com', origins: ['https://panel.example.com'] },
    'an rpId that ends alike': { rpId: 'ample.com', origins: ['https://example.com'] },
    'a top-level domain': { rpId: 'com', origins: ['https://example.com'] },
    'one origin of two': { rpId: 'example.com', origins: ['https://example.com', 'https://example.org'] },
    'an unknown option': { rpID: 'localhost' },
  }
  for (const [name, config] of Object.entries(bad)) {
    t.throws(() => passkey(config as object), { code: 'CORE_ERR_CONFIG_INVALID' }, name)
  }
  const good = [
    {},
    { rpId: 'example.com', rpName: 'Example', origins: ['https://example.com', 'https://eu.panel.example.com:8443'] },
    { rpId: 'localhost', origins: ['http://localhost:3000'] },
    { rpId: 'panel', origins: ['https://panel'] },
  ]
  for (const config of good) t.doesNotThrow(() => passkey(config), JSON.stringify(config))
})

t.test('what does not go with the public URL is refused at the start', async (t) => {
  for (const config of [{ rpId: 'example.org' }, { origins: ['https://panel.example.org'] }]) {
    const start = startPasskeyPanel(t, { publicUrl: 'https://panel.example.com', passkey: config })
    await t.rejects(start, { code: /CONFIG_INVALID|SETUP_FAILED/ }, JSON.stringify(config))
  }
})

t.test('on plain http there is a panel, and no passkey', async (t) => {
  const { call, admin } = await startPasskeyPanel(t, { publicUrl: 'http://192.0.2.1:3000' })
  t.equal((await call('GET', '/api/auth/passkeys', { token: admin.token })).status, 200)
})

t.test('several origins, one domain', async (t) => {
  const origins = ['https://panel.example.com', 'https://eu.panel.example.com']
  const config = { rpId: 'panel.example.com', rpName: 'Example', origins }
  const panel = await startPasskeyPanel(t, { publicUrl: 'https://panel.example.com', passkey: config })
  const { call, admin } = panel
  const authenticator = panel.authenticator()
  const { rp } = (await call('GET', '/api/auth/passkey/register-challenge', { token: admin.token })).body
  t.same(rp, { id: 'panel.example.com', name: 'Example' })
  t.equal((await register(call, authenticator, { token: admin.token })).status, 200)
  for (const origin of origins) {
    t.equal((await signIn(call, authenticator, { deviations: { origin } })).status, 200, origin)
    const response = authenticator.get(await challenge(call), { origin })
    const headers = { origin, 'sec-fetch-site': 'same-origin' }
    t.equal((await call('POST', '/api/auth/passkey/authenticate', { body: { response }, headers })).status, 200)
  }
  for (const origin of ['https://example.com', 'https://us.panel.example.com', 'http://panel.example.com']) {
    t.equal((await signIn(call, authenticator, { deviations: { origin } })).status, 401, origin)
  }
})

t.test('what a request says of its host and origin changes nothing', async (t) => {
  const panel = await startPasskeyPanel(t, { publicUrl: 'https://panel.example.com' })
  const { call, admin } = panel
  const headers = { host: 'evil.example', 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https' }
  const authenticator = panel.authenticator()
  const options = (await call('GET', '/api/auth/passkey/register-challenge', { token: admin.token, headers })).body
  t.equal(options.rp.id, 'panel.example.com')
  t.equal((await call('GET', '/api/auth/passkey/authenticate-challenge', { headers })).body.rpId, 'panel.example.com')
  const foreign = authenticator.create(options, { origin: 'https://evil.example', rpId: 'evil.example' })
  const send = (response: unknown) =>
    call('POST', '/api/auth/passkey/register', { token: admin.token, body: { response }, headers })
  t.equal((await send(foreign)).status, 401)
  t.equal((await register(call, authenticator, { token: admin.token })).status, 200)
})
