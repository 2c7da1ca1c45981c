import { deepEqual, equal, ok, rejects } from 'node:assert/strict'
import type { Mail, Mailer } from '../mail/mailer.js'

/** What the suite needs of a test runner: tap's `test`, node:test's and vitest's all fit. */
export interface MailerContractRunner {
  test(name: string, body: () => Promise<void>): unknown
}

/** A mailer under test. */
export interface MailerFixture {
  readonly mailer: Mailer
  /** What has arrived, in any order: to whom each was delivered, and its decoded subject and text. */
  received(): Promise<readonly Mail[]>
  /** Takes the mail server away; the contract then expects refusals. */
  readonly breakDown?: () => Promise<void>
  readonly dispose?: () => void | Promise<void>
}

const mail: Mail = { to: 'ada@example.com', subject: 'Your code', text: 'It is 123456.' }
const many = 20
/** Longest that a mailer may try before it gives up, in milliseconds. */
const giveUpMs = 60_000
const injections: readonly Mail[] = [
  { ...mail, to: 'ada@example.com\r\nBcc: eve@example.com' },
  { ...mail, to: 'ada@example.com, eve@example.com' },
  { ...mail, to: 'ada@example.com>\r\nRCPT TO:<eve@example.com' },
  { ...mail, to: 'Ada <ada@example.com>, eve@example.com' },
  { ...mail, to: '' },
  { ...mail, subject: 'Hello\r\nBcc: eve@example.com' },
]

/** What every `Mailer` must do. `make` gives a fresh fixture to each test. */
export function mailerContract({ test }: MailerContractRunner, make: () => Promise<MailerFixture>): void {
  const check = (name: string, body: (fixture: MailerFixture) => Promise<void>): unknown =>
    test(`mailer: ${name}`, async () => {
      const fixture = await make()
      try {
        await body(fixture)
      } finally {
        await fixture.dispose?.()
      }
    })

  check('has handed a mail over when it resolves', async ({ mailer, received }) => {
    await mailer.send(mail)
    deepEqual((await received()).map(trimmed), [mail])
  })
  check('takes any text', async ({ mailer, received }) => {
    const text = `Grüße, ${'long '.repeat(300)}\n.\n..\nFrom here 絵文字 👋\n=3D`
    const unicode = { to: 'ada@example.com', subject: 'Schöne Grüße 👋', text }
    await mailer.send(unicode)
    deepEqual((await received()).map(trimmed), [unicode])
  })
  check('sends many at once', async ({ mailer, received }) => {
    const mails = Array.from({ length: many }, (_, n) => ({ ...mail, text: `Number ${n}.` }))
    await Promise.all(mails.map((one) => mailer.send(one)))
    const texts = (await received()).map(({ text }) => text.trim())
    deepEqual(texts.sort(), mails.map(({ text }) => text).sort())
  })
  check('sends to nobody but the recipient', async ({ mailer, received }) => {
    for (const injection of injections) await mailer.send(injection).catch(() => undefined)
    for (const { to } of await received()) ok(!to.includes('eve@'), `delivered to ${to}`)
  })
  check('says when it cannot send', async ({ mailer, received, breakDown }) => {
    if (!breakDown) return
    await breakDown()
    const before = performance.now()
    await rejects(mailer.send(mail), { code: 'AUTH_ERR_MAIL_UNAVAILABLE', status: 503 })
    ok(performance.now() - before < giveUpMs, 'it gives up in time')
    equal((await received()).length, 0)
  })
}

/** Mail may end in a line break that was not in it. */
function trimmed({ to, subject, text }: Mail): Mail {
  return { to, subject, text: text.replaceAll('\r\n', '\n').trimEnd() }
}
