import { http, Secret } from '@sallyport/core'
import { createTestKernel } from '@sallyport/core/testing'
import t from 'tap'
import { Mailer, mail } from '../../dist/index.js'
import { startSmtpServer } from './smtp-server.js'

const letter = { to: 'ada@example.com', subject: 'Hello', text: 'Hello Ada.' }

t.test('sends through the server of the URL, from the panel', async (t) => {
  const server = await startSmtpServer()
  t.teardown(() => server.close())
  const url = `smtp://127.0.0.1:${server.port}`
  const fromOf = async (config: Parameters<typeof mail>[0], publicUrl: string): Promise<string | undefined> => {
    const kernel = await createTestKernel({ plugins: [mail(config), http({ publicUrl })] })
    await kernel.get(Mailer).send(letter)
    await kernel.stop()
    return (await server.take(letter.to)).headers['from']
  }
  t.equal(await fromOf({ url }, 'https://panel.example.com'), 'Sallyport <no-reply@panel.example.com>')
  t.equal(await fromOf({ url: new Secret(url) }, 'http://127.0.0.1:3000'), 'Sallyport <no-reply@[127.0.0.1]>')
  t.equal(await fromOf({ url, from: 'Games <games@example.com>' }, 'https://a.bc'), 'Games <games@example.com>')
  t.equal(await fromOf({ url, from: 'games@example.com' }, 'https://a.bc'), 'games@example.com')
})

t.test('without a URL mail goes to the log', async (t) => {
  await using kernel = await createTestKernel({ plugins: [mail()], http: false })
  await kernel.get(Mailer).send(letter)
  t.match(kernel.log.text, /Hello Ada/)
})

t.test('nonsense stops the start, and a password is not told', async (t) => {
  const invalid = { code: 'CORE_ERR_CONFIG_INVALID' }
  t.throws(() => mail({ url: 'http://example.com' }), invalid)
  t.throws(() => mail({ url: '' }), invalid)
  t.throws(() => mail({ from: 'nobody' }), invalid)
  t.throws(() => mail({ from: 'A <a@b.cd>\r\nBcc: <e@f.gh>' }), invalid)
  t.throws(() => mail({ from: 'a@b.cd, e@f.gh' }), invalid)
  try {
    mail({ url: 'smtp://user:hunter2@example.com/path' })
    t.fail('it is refused')
  } catch (error) {
    t.notMatch(String(error), /hunter2/)
  }
})
