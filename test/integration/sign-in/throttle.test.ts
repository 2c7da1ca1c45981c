// Guessing: counted by account over all addresses and by address over all accounts, whatever is tried to be counted elsewhere.
import t from 'tap'
import { mailSink } from '../../support/mail-sink.js'
import { inParallel, tally } from '../../support/parallel.js'
import type { Carried, Reply } from '../../support/raw-client.js'
import { type SignInPanel, startSignInPanel } from '../../support/sign-in-panel.js'
import { isThrottled } from '../../support/throttled.js'
import { totp, wrongTotp } from '../../support/totp.js'

const perAccount = 10
const perAddress = 50
const wrong = 'a password that nobody has'
const nobody = (index: number): string => `nobody-${index}@example.com`

/** Statuses of a try for each of `count` accounts that there are not; `from` says where it comes from. */
function tryAccounts(panel: SignInPanel, count: number, from: (index: number) => Carried): Promise<number[]> {
  return inParallel(count, 4, async (index) => {
    const body = { email: nobody(index), password: wrong }
    return (await panel.send('POST', '/api/auth/login', { ...from(index), body })).status
  })
}

t.test('with a proxy that is believed', async (t) => {
  const panel = await startSignInPanel(t)

  await t.test('an account over many addresses, the right password too', async (t) => {
    const person = await panel.newPerson()
    for (let index = 0; index < perAccount; index++) {
      t.equal((await panel.login(person.email, wrong)).status, 401, `try ${index + 1}`)
    }
    isThrottled(t, await panel.login(person.email, wrong), 'a wrong password')
    isThrottled(t, await panel.login(person.email, person.password), 'the right password')
    isThrottled(t, await panel.login(person.email, person.password, 'fd00::1'), 'the right password over IPv6')
    const other = await panel.newPerson()
    t.equal((await panel.login(other.email, other.password)).status, 200, 'another account')
    t.equal((await panel.send('GET', '/api/auth/session', { bearer: person.token })).status, 200, 'the session goes on')
  })

  await t.test('an account in every spelling, by every path', async (t) => {
    const person = await panel.newPerson()
    const [local, domain] = person.email.split('@') as [string, string]
    const fullWidth = [...person.email].map((c) =>
      /[a-z]/.test(c) ? String.fromCodePoint(c.charCodeAt(0) + 0xfee0) : c,
    )
    const spellings = [person.email.toUpperCase(), `${local.toUpperCase()}@${domain}`, fullWidth.join('')]
    for (const email of spellings)
      t.equal((await panel.login(email, person.password)).status, 200, `${email} is the same`)
    for (let index = 0; index < perAccount; index++) await panel.login(spellings[index % 3] ?? '', wrong)
    for (const email of [person.email, ...spellings]) isThrottled(t, await panel.login(email, person.password), email)
    const body = { email: person.email, password: person.password }
    for (const path of [
      '//api/auth/login',
      '/api//auth/login',
      '/api/auth//login',
      '/api/auth/./login',
      '/api/auth/x/../login',
      '/api/auth/login/',
      '/api/auth/login//',
      '/%61pi/auth/login',
      '/api/auth/%6cogin',
      '/api%2fauth/login',
      '/api/auth/login%2f',
      '/API/AUTH/LOGIN',
      '/api/auth/login?x=1',
      '/api/auth/login;x',
      `${panel.url}/api/auth/login`,
    ]) {
      const { status } = await panel.send('POST', path, { ip: panel.newIp(), body })
      t.ok([308, 400, 404, 405, 429].includes(status), `${path}: ${status}`)
    }
  })

  await t.test('an address over many accounts', async (t) => {
    const person = await panel.newPerson()
    const ip = panel.newIp()
    t.same(tally(await tryAccounts(panel, perAddress, () => ({ ip }))), { 401: perAddress })
    isThrottled(t, await panel.login(nobody(perAddress), wrong, ip), 'another account')
    isThrottled(t, await panel.login(person.email, person.password, ip), 'the right password')
    isThrottled(t, await panel.login(person.email, person.password, `::ffff:${ip}`), 'the address written as IPv6')
    const appended = { 'x-forwarded-for': `203.0.113.7, ${ip}` }
    const { email, password } = person
    const forged = await panel.send('POST', '/api/auth/login', { headers: appended, body: { email, password } })
    isThrottled(t, forged, 'what the client itself put before what the proxy saw')
    t.equal((await panel.login(person.email, person.password)).status, 200, 'from elsewhere')
  })

  await t.test('an IPv6 customer who changes addresses within their /64', async (t) => {
    const address = (index: number) =>
      `fd12:3456:789a:1:${index.toString(16)}:${(index * 997).toString(16)}:0:${index + 1}`
    t.same(tally(await tryAccounts(panel, perAddress, (index) => ({ ip: address(index) }))), { 401: perAddress })
    isThrottled(t, await panel.login(nobody(perAddress), wrong, address(perAddress)), 'another address')
    isThrottled(t, await panel.login(nobody(perAddress), wrong, 'FD12:3456:789A:0001::1'), 'another spelling')
    t.equal((await panel.login(nobody(perAddress), wrong, 'fd12:3456:789a:2::1')).status, 401, 'another /64')
  })

  await t.test(
    'an account that there is and one that there is not are alike, until and while they are locked',
    async (t) => {
      const known = await panel.newPerson()
      const suspended = [await panel.newPerson(), await panel.newPerson()] as const
      for (const { id } of suspended) {
        await panel.ok('PATCH', `/api/users/${id}`, { bearer: panel.admin.token, body: { suspended: true } })
      }
      const factor = await panel.newTwoFactorPerson()
      const seen = async (email: string, password: string): Promise<string[]> => {
        const replies: string[] = []
        for (let index = 0; index < perAccount + 2; index++) {
          const { status, headers, body } = await panel.login(email, password)
          const { date, 'x-request-id': _, 'retry-after': wait, ...rest } = headers
          // The wait is of seconds, and the tries for one account begin later than those for another.
          const shown = {
            status,
            headers: { ...rest, wait: wait !== undefined && Math.ceil(Number(wait) / 100) },
            body,
          }
          const text = JSON.stringify(shown)
          const id = String(body.requestId)
          replies.push(
            text.replaceAll(id, 'ID').replaceAll(encodeURIComponent(email), 'EMAIL').replaceAll(email, 'EMAIL'),
          )
        }
        return replies
      }
      const expected = await seen('not-there-at-all@example.com', wrong)
      t.match(expected[0], /"status":401/)
      t.match(expected.at(-1), /"status":429/)
      t.same(await seen(known.email, wrong), expected, 'a wrong password')
      t.same(await seen(suspended[0].email, wrong), expected, 'a suspended user’s wrong password')
      t.same(await seen(suspended[1].email, suspended[1].password), expected, 'a suspended user’s right password')
      t.same(await seen(factor.email, wrong), expected, 'a wrong password where there is a second factor')
    },
  )

  await t.test('proving it again counts like signing in', async (t) => {
    for (const [path, body] of [
      ['/api/auth/reauthenticate', { password: wrong }],
      ['/api/auth/password', { currentPassword: wrong, newPassword: 'a new password for later' }],
    ] as const) {
      const person = await panel.newPerson()
      const attempt = () => panel.send('POST', path, { ip: panel.newIp(), bearer: person.token, body })
      for (let index = 0; index < perAccount; index++) t.equal((await attempt()).status, 401, `${path} ${index + 1}`)
      isThrottled(t, await attempt(), path)
      isThrottled(t, await panel.login(person.email, person.password), `signing in after ${path}`)
    }
  })

  await t.test('a second factor over many addresses and temporary tokens, the right code too', async (t) => {
    const person = await panel.newTwoFactorPerson()
    const guess = async (body: object) => {
      const tempToken = await panel.tempToken(person)
      return panel.send('POST', '/api/auth/2fa/verify-login', { ip: panel.newIp(), body: { tempToken, ...body } })
    }
    const statuses: number[] = []
    for (let index = 0; index <= perAccount; index++) {
      statuses.push((await guess({ token: wrongTotp(person.secret) })).status)
    }
    const refused = statuses.indexOf(429)
    t.ok(refused > 0 && statuses.slice(0, refused).every((status) => status === 401), `${statuses}`)
    isThrottled(t, await guess({ token: totp(person.secret) }), 'the right code')
    isThrottled(t, await guess({ backupCode: person.recoveryCodes[0] }), 'a recovery code')
    const carried = { bearer: person.token, ip: panel.newIp() }
    const again = await panel.send('POST', '/api/auth/reauthenticate', {
      ...carried,
      body: { token: totp(person.secret) },
    })
    isThrottled(t, again, 'proving it again')
    const disable = await panel.send('POST', '/api/auth/2fa/disable', {
      ...carried,
      body: { token: totp(person.secret) },
    })
    isThrottled(t, disable, 'turning it off')
  })

  await t.test('second factors from one address over many accounts', async (t) => {
    const ip = panel.newIp()
    let tries = 0
    let reply: Reply | undefined
    while (tries <= perAddress && reply?.status !== 429) {
      const person = await panel.newTwoFactorPerson()
      const tempToken = await panel.tempToken(person)
      for (let index = 0; index < 4 && reply?.status !== 429; index++) {
        const body = { tempToken, token: wrongTotp(person.secret) }
        reply = await panel.send('POST', '/api/auth/2fa/verify-login', { ip, body })
        tries += 1
      }
    }
    t.equal(tries, perAddress + 1)
    const person = await panel.newTwoFactorPerson()
    const body = { tempToken: await panel.tempToken(person), token: totp(person.secret) }
    isThrottled(t, await panel.send('POST', '/api/auth/2fa/verify-login', { ip, body }), 'a right code from there')
  })

  await t.test('forged passkeys from one address', async (t) => {
    const ip = panel.newIp()
    const text = Buffer.from('{"type":"webauthn.get","challenge":"AAAA","origin":"x"}').toString('base64url')
    const response = { clientDataJSON: text, authenticatorData: 'AAAA', signature: 'AAAA' }
    const body = { response: { id: 'AAAA', rawId: 'AAAA', type: 'public-key', clientExtensionResults: {}, response } }
    const send = () => panel.send('POST', '/api/auth/passkey/authenticate', { ip, body })
    const statuses = await inParallel(perAddress + 10, 4, async () => (await send()).status)
    t.same(Object.keys(tally(statuses)), ['401', '429'])
    isThrottled(t, await send(), 'one more')
  })
})

t.test('addresses that a peer who is not believed makes up', async (t) => {
  const panel = await startSignInPanel(t, { TRUSTED_PROXIES: '192.0.2.1' })
  const statuses = await tryAccounts(panel, perAddress + 5, (index) => {
    const ip = `203.0.113.${index}`
    const headers = {
      'x-real-ip': ip,
      'x-client-ip': ip,
      'cf-connecting-ip': ip,
      'true-client-ip': ip,
      forwarded: `for=${ip}`,
    }
    return { ip, headers: { ...headers, 'x-forwarded-for': `${ip}, 192.0.2.1` } }
  })
  t.same(tally(statuses), { 401: perAddress, 429: 5 })
})

t.test('mail that strangers have sent', async (t) => {
  const mail = await mailSink(t)
  const panel = await startSignInPanel(t, { SMTP_URL: mail.url })
  const person = await panel.newTwoFactorPerson()
  const requests = await inParallel(40, 4, () =>
    panel.send('POST', '/api/auth/password-reset/request', { ip: panel.newIp(), body: { email: person.email } }),
  )
  const unknown = await inParallel(40, 4, () =>
    panel.send('POST', '/api/auth/password-reset/request', { ip: panel.newIp(), body: { email: nobody(0) } }),
  )
  t.same(tally(requests.map(({ status }) => status)), tally(unknown.map(({ status }) => status)), 'known or not')
  const codes: number[] = []
  for (let round = 0; round < 10; round++) {
    const tempToken = await panel.tempToken(person)
    for (let index = 0; index < 4; index++) {
      codes.push(
        (await panel.send('POST', '/api/auth/2fa/send-email', { ip: panel.newIp(), body: { tempToken } })).status,
      )
    }
  }
  t.ok(codes.includes(200) && codes.includes(429), `codes: ${JSON.stringify(tally(codes))}`)
  await panel.program.stop()
  t.ok(mail.mails.length > 0 && mail.mails.length <= 20, `${mail.mails.length} mails for 80 requests`)
})
