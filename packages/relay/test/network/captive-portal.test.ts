// Who answers in the panel's place (a sign-in page, a foreign certificate) is named, ends nothing, and is left behind when the panel is back.
import { createServer } from 'node:http'
import t from 'tap'
import { createSelfSigned } from '../../dist/identity/self-signed.js'
import { until } from '../support.js'
import { startPanel } from './panel.js'
import { authorityFile, startAgentProcess } from './process.js'

type Answer = NonNullable<Awaited<ReturnType<typeof startPanel>>['answer']>

const page = '<!doctype html><title>Welcome to the hotel</title>'
const portals: [string, Answer, RegExp][] = [
  [
    'a page that wants a password',
    (_, response) => response.writeHead(401, { 'content-type': 'text/html', 'www-authenticate': 'Basic' }).end(page),
    /no Sallyport panel \(HTTP 401, text\/html\).*sign-in/,
  ],
  [
    'a redirect',
    (_, response) => response.writeHead(302, { location: 'http://login.hotel.example/' }).end(),
    /redirects to login\.hotel\.example,.*sign-in/,
  ],
  ['a network that says so', (_, response) => response.writeHead(511).end(), /wants a sign-in first \(HTTP 511\)/],
]
for (const [name, answer, words] of portals) {
  t.test(`a sign-in page in the panel's place: ${name}`, async (t) => {
    const panel = await startPanel(t)
    const agent = await startAgentProcess(t, panel.url)
    await until(() => panel.welcomed === 1, 'the agent')
    panel.answer = answer
    panel.drop()
    await agent.says(words)
    const lines = () => agent.said().match(new RegExp(words, 'g'))?.length
    panel.answer = undefined
    await until(() => panel.welcomed === 2, 'it is back by itself')
    t.equal(lines(), 1, 'said once')
    t.equal(agent.exitCode, null, 'it runs on')
  })
}

/** `sallyport run` against https://localhost with this certificate; `trusted`: as one of an authority. */
async function runAgainst(t: Parameters<typeof startPanel>[0], pair: { key: string; cert: string }, trusted: boolean) {
  const panel = await startPanel(t, { tls: pair })
  const env = trusted ? { NODE_EXTRA_CA_CERTS: await authorityFile(t, pair.cert) } : undefined
  const agent = await startAgentProcess(t, `https://localhost:${panel.port}`, { ...(env && { env }) })
  return { panel, agent }
}

const DAY_MS = 86_400_000
const certificates: [string, Parameters<typeof createSelfSigned>[0], boolean, RegExp][] = [
  ['that nobody vouches for', {}, false, /not trusted.*sign-in.*NODE_EXTRA_CA_CERTS/],
  ['for another name', { commonName: 'hotel.example' }, true, /another name.*sign-in/],
  ['that has expired', { notAfter: new Date(Date.now() - DAY_MS) }, true, /expired.*clock, it says \d{4}-.* UTC/],
  ['that is not valid yet', { notBefore: new Date(Date.now() + DAY_MS) }, true, /not valid yet.*clock, it says/],
]
for (const [name, options, trusted, words] of certificates) {
  t.test(`a certificate ${name}`, async (t) => {
    const { panel, agent } = await runAgainst(t, createSelfSigned({ commonName: 'localhost', ...options }), trusted)
    await agent.says(words)
    t.equal(panel.welcomed, 0, 'nobody was told the token')
    t.equal(agent.exitCode, null, 'it tries on')
  })
}

t.test('a certificate that is right', async (t) => {
  const { panel } = await runAgainst(t, createSelfSigned({ commonName: 'localhost' }), true)
  await until(() => panel.welcomed === 1, 'the agent')
})

t.test('a server without TLS where https was asked for', async (t) => {
  const server = createServer((_, response) => response.end())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const { port } = server.address() as { port: number }
  const agent = await startAgentProcess(t, `https://127.0.0.1:${port}`)
  await agent.says(/seems to speak no TLS.*check the URL/)
  t.equal(agent.exitCode, null, 'it runs on')
})
