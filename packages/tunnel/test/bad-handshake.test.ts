import { request } from 'node:http'
import { CONTROL_PATH } from '@sallyport/relay'
import t from 'tap'
import { type Panel, startPanel } from './support/panel.js'

const upgrade = { connection: 'upgrade', upgrade: 'websocket' }
const version = { 'sec-websocket-version': '13' }
const key = { 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==' }

function ask(panel: Panel, method: string, headers: Record<string, string>): Promise<[number, string, string]> {
  return new Promise((resolve, reject) => {
    const sent = request(new URL(CONTROL_PATH, panel.url), { method, headers, agent: false }, (response) => {
      let text = ''
      response.on('data', (part: Buffer) => {
        text += part.toString()
      })
      response.on('end', () => resolve([response.statusCode ?? 0, response.headers['content-type'] ?? '', text]))
    })
    sent.on('error', reject)
    sent.end()
  })
}

t.test('refuses broken handshakes with problem+json, whatever the token', async (t) => {
  const panel = await startPanel()
  t.teardown(() => panel.stop())
  const { token } = await panel.enrol({ id: 'alice' })
  const cases: readonly [string, string, Record<string, string>][] = [
    ['no key', 'GET', { ...upgrade, ...version }],
    ['a bad key', 'GET', { ...upgrade, ...version, 'sec-websocket-key': 'AAAA' }],
    ['a bad version', 'GET', { ...upgrade, ...key, 'sec-websocket-version': '1' }],
    ['a bad method', 'POST', { ...upgrade, ...version, ...key }],
  ]
  for (const [name, method, headers] of cases) {
    for (const authorization of [`Bearer ${token}`, 'Bearer nonsense']) {
      const [status, type, text] = await ask(panel, method, { ...headers, authorization })
      t.equal(status, 400, name)
      t.match(type, 'application/problem+json', name)
      t.equal(JSON.parse(text).error, 'bad_request', name)
    }
  }
})
