import t from 'tap'
import { enrol, startTwoFactorPanel, tempTokenOf, userMaker, verifyLogin } from './support.js'

const nonsense: readonly unknown[] = [
  [],
  ['123456'],
  {},
  { $ne: 1 },
  null,
  true,
  1,
  123456,
  'x'.repeat(1_000_000),
  '',
  'a\0b',
]
const noCodes: readonly unknown[] = [
  '12345',
  '1234567',
  '12345a',
  ' 123456',
  '123456\n',
  '１２３４５６',
  '12 456',
  '-12345',
]

t.test('what is no code, tempToken or body is 400 and names the field', async (t) => {
  const panel = await startTwoFactorPanel(t)
  const { call } = panel
  const user = await enrol(call, await userMaker(panel)())
  const tempToken = await tempTokenOf(call, user)
  const { token } = user
  const send = (path: string, body: unknown) => call('POST', `/api/auth/2fa/${path}`, { token, body })
  const expectRefused = async (path: string, body: unknown, field: string): Promise<void> => {
    const answer = await send(path, body)
    const shown = `${path} ${JSON.stringify(body).slice(0, 80)}`
    t.equal(answer.status, 400, shown)
    t.match(answer.headers['content-type'], /problem\+json/)
    t.equal(answer.body.errors?.[0]?.path, field, shown)
  }

  await t.test('each field', async () => {
    for (const value of nonsense) {
      for (const path of ['verify', 'disable', 'recovery-codes']) await expectRefused(path, { token: value }, '/token')
      await expectRefused('disable', { backupCode: value }, '/backupCode')
      await expectRefused('send-email', { tempToken: value }, '/tempToken')
      await expectRefused('verify-login', { tempToken: value, token: '123456' }, '/tempToken')
      for (const field of ['token', 'emailCode', 'backupCode']) {
        await expectRefused('verify-login', { tempToken, [field]: value }, `/${field}`)
      }
    }
    for (const value of noCodes) {
      for (const path of ['verify', 'disable', 'recovery-codes']) await expectRefused(path, { token: value }, '/token')
      await expectRefused('verify-login', { tempToken, token: value }, '/token')
      await expectRefused('verify-login', { tempToken, emailCode: value }, '/emailCode')
    }
  })

  await t.test('too little, too much and unknown', async () => {
    for (const path of ['verify', 'disable', 'recovery-codes']) {
      await expectRefused(path, {}, '/token')
      await expectRefused(path, { token: '123456', x: 1 }, '/x')
    }
    await expectRefused('disable', { token: '123456', backupCode: 'x' }, '/backupCode')
    await expectRefused('send-email', {}, '/tempToken')
    await expectRefused('verify-login', { token: '123456' }, '/tempToken')
    await expectRefused('verify-login', { tempToken }, '/token')
    await expectRefused('verify-login', { tempToken, token: '123456', emailCode: '123456' }, '/emailCode')
    await expectRefused('verify-login', { tempToken, emailCode: '123456', backupCode: 'x' }, '/backupCode')
    await expectRefused('verify-login', { tempToken, token: '123456', userId: user.id }, '/userId')
  })

  await t.test('no body at all, or none that is JSON', async (t) => {
    for (const path of ['verify', 'disable', 'recovery-codes', 'send-email', 'verify-login']) {
      for (const body of [undefined, '', '[]', 'null', '"x"', '{', '1']) {
        t.equal((await send(path, body)).status, 400, `${path} ${body}`)
      }
      const headers = { 'content-type': 'text/plain' }
      const text = await call('POST', `/api/auth/2fa/${path}`, { token, body: '{}', headers })
      t.equal(text.status, 415, path)
    }
  })

  t.equal((await verifyLogin(call, { tempToken, token: await user.app.next() })).status, 200, 'nothing was used up')
})
