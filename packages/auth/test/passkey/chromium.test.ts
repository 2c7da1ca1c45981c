import { definePlugin, Http } from '@sallyport/core'
import { skipWithout } from '@sallyport/core/testing'
import { type CDPSession, chromium, type Page } from 'playwright-core'
import t from 'tap'
import { findChromium, missingChromium } from '../support/chromium.js'
import { password, startPasskeyPanel } from './support.js'

/** An empty page of the panel's, for scripts that the test brings. */
const blankPage = definePlugin({
  name: 'test.page',
  version: '1.0.0',
  requires: { http: Http },
  setup({ services }) {
    services.http.plugin(async (app) => {
      app.get('/', (_request, reply) => reply.type('text/html').send('<!doctype html><title>Panel</title>'))
    })
  },
})

/** What a page's script may use: an API call with the cookie, and the two ceremonies as a panel's page writes them. */
const helpers = `
  const api = async (method, path, body) => {
    const headers = body === undefined ? {} : { 'content-type': 'application/json' }
    const response = await fetch(path, { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) })
    return { status: response.status, body: await response.json().catch(() => null) }
  }
  const create = async () => {
    const { body } = await api('POST', '/api/auth/passkey/register-challenge', {})
    const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(body)
    return (await navigator.credentials.create({ publicKey })).toJSON()
  }
  const get = async (asked = {}) => {
    const { body } = await api('POST', '/api/auth/passkey/authenticate-challenge', asked)
    const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(body)
    return (await navigator.credentials.get({ publicKey })).toJSON()
  }
`

interface Answer {
  readonly status: number
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every form
  readonly body: any
}

t.test('in Chromium', { skip: skipWithout('Chromium', missingChromium()) }, async (t) => {
  const panel = await startPasskeyPanel(t, { plugins: [blankPage()] })
  const browser = await chromium.launch({ executablePath: findChromium() ?? '', args: ['--no-sandbox'] })
  t.teardown(() => browser.close())
  const person = await panel.person('ada@localhost')

  const open = async (): Promise<{ page: Page; cdp: CDPSession; authenticatorId: string }> => {
    const context = await browser.newContext()
    const page = await context.newPage()
    await page.goto(panel.origin)
    const cdp = await context.newCDPSession(page)
    await cdp.send('WebAuthn.enable')
    const { authenticatorId } = await cdp.send('WebAuthn.addVirtualAuthenticator', {
      options: {
        protocol: 'ctap2',
        transport: 'internal',
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified: true,
        automaticPresenceSimulation: true,
      },
    })
    return { page, cdp, authenticatorId }
  }
  const { page, cdp, authenticatorId } = await open()
  const run = (script: string): Promise<Answer> => page.evaluate(`(async () => { ${helpers} ${script} })()`)
  const login = { email: person.email, password }
  const logout = (): Promise<Answer> => run(`return api('POST', '/api/auth/logout', {})`)
  const authenticate = (asked: object = {}): Promise<Answer> =>
    run(`return api('POST', '/api/auth/passkey/authenticate', { response: await get(${JSON.stringify(asked)}) })`)

  t.test('a passkey is registered', async (t) => {
    t.equal((await run(`return api('POST', '/api/auth/login', ${JSON.stringify(login)})`)).status, 200)
    const { status, body } = await run(
      `return api('POST', '/api/auth/passkey/register', { response: await create(), name: 'Virtual' })`,
    )
    t.equal(status, 200)
    t.match(body, { verified: true, passkey: { name: 'Virtual', transports: ['internal'] } })
    const { credentials } = await cdp.send('WebAuthn.getCredentials', { authenticatorId })
    t.match(credentials, [{ isResidentCredential: true, rpId: 'localhost', userName: person.email }])
    t.equal(Buffer.from(credentials[0]?.userHandle ?? '', 'base64').length, 32)
  })

  t.test('the same authenticator is not asked for a second one', async (t) => {
    const outcome = await run(`return create().then(() => 'made', (error) => error.name)`)
    t.equal(outcome as unknown, 'InvalidStateError')
  })

  t.test('it signs in without an e-mail address, and with one', async (t) => {
    for (const asked of [{}, { email: person.email }]) {
      t.equal((await logout()).status, 200)
      t.equal((await run(`return api('GET', '/api/auth/session')`)).status, 401)
      const { status, body } = await authenticate(asked)
      t.equal(status, 200)
      t.equal(body.user.id, person.id)
      const session = await run(`return api('GET', '/api/auth/session')`)
      t.match(session.body, { user: { email: person.email }, session: { methods: ['passkey'] } }, 'by the cookie')
    }
    const nobody = await authenticate({ email: 'nobody@example.org' })
    t.equal(nobody.status, 401)
  })

  t.test('it proves again who one is', async (t) => {
    const cookies = await page.context().cookies()
    await panel.age(cookies.find(({ name }) => name === 'session')?.value ?? '')
    t.equal((await run(`return api('POST', '/api/auth/passkey/register-challenge', {})`)).status, 403)
    const { status, body } = await run(`return api('POST', '/api/auth/reauthenticate', { response: await get() })`)
    t.equal(status, 200)
    t.same(body, { success: true })
    t.equal((await run(`return api('POST', '/api/auth/passkey/register-challenge', {})`)).status, 200)
  })

  t.test('without verifying its user it signs nobody in', async (t) => {
    await logout()
    await cdp.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: false })
    const outcome = await run(`return get().then(() => 'signed', (error) => error.name)`)
    t.equal(outcome as unknown, 'NotAllowedError', 'the browser sees to it')
    // A page that asks for less than the panel did.
    const { status, body } = await run(`
      const { body } = await api('POST', '/api/auth/passkey/authenticate-challenge', {})
      const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON({ ...body, userVerification: 'discouraged' })
      const response = (await navigator.credentials.get({ publicKey })).toJSON()
      return api('POST', '/api/auth/passkey/authenticate', { response })
    `)
    t.equal(status, 401)
    t.equal(body.error, 'passkey_refused')
    t.match(panel.audited.findLast(({ action }) => action === 'session.refused')?.data, {
      method: 'passkey',
      reason: 'verification',
      detail: /user could not be verified/i,
    })
    await cdp.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: true })
    t.equal((await authenticate()).status, 200)
  })

  t.test('a copy of the authenticator is noticed', async (t) => {
    const { credentials } = await cdp.send('WebAuthn.getCredentials', { authenticatorId })
    const [credential] = credentials
    if (!credential) throw new Error('the authenticator has lost its credential')
    t.equal((await authenticate()).status, 200)
    await cdp.send('WebAuthn.removeCredential', { authenticatorId, credentialId: credential.credentialId })
    await cdp.send('WebAuthn.addCredential', { authenticatorId, credential: { ...credential, signCount: 0 } })
    t.equal((await authenticate()).status, 401)
    t.ok(panel.audited.some(({ action }) => action === 'passkey.counter-regressed'))
    await cdp.send('WebAuthn.removeCredential', { authenticatorId, credentialId: credential.credentialId })
    await cdp.send('WebAuthn.addCredential', { authenticatorId, credential: { ...credential, signCount: 100 } })
    t.equal((await authenticate()).status, 200)
  })

  t.test('removed from the panel, it signs nobody in', async (t) => {
    const { body } = await run(`return api('GET', '/api/auth/passkeys')`)
    const [passkey] = body.passkeys
    t.equal((await run(`return api('DELETE', '/api/auth/passkeys/${passkey.id}')`)).status, 200)
    t.equal((await authenticate()).status, 401)
  })
})
