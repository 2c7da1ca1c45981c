import { request } from 'node:http'
import { gunzipSync, gzipSync } from 'node:zlib'
import t from 'tap'
import { panelEnvironment, startPanel, temporaryDirectory } from '../../support/panel.js'

const mostBytes = 100_000
const panel = await startPanel(t, panelEnvironment(await temporaryDirectory(t), { RELAY_EMBEDDED: 'false' }))
const page = await (await fetch(panel.url)).text()
const assets = [...page.matchAll(/(?:href|src)="(\/assets\/[^"]+)"/g)].map(([, path = '']) => path)

interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body: Buffer
}

/** As it is on the wire: nothing is unpacked. */
function get(path: string, headers: Record<string, string> = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    request(panel.url + path, { headers, agent: false }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers as Record<string, string>,
          body: Buffer.concat(chunks),
        }),
      )
    })
      .on('error', reject)
      .end()
  })
}

/** The page's parts, and what those load when it is needed. */
async function everything(): Promise<Map<string, Buffer>> {
  const found = new Map<string, Buffer>([['/', Buffer.from(page)]])
  const waiting = [...assets]
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (found.has(path)) continue
    const { status, body } = await get(path)
    t.equal(status, 200, path)
    found.set(path, body)
    for (const [, name] of body.toString().matchAll(/["'`]\.\/([\w-]+\.(?:js|css))["'`]/g))
      waiting.push(`/assets/${name}`)
  }
  return found
}

t.test('all of it is under 100 kB, gzipped', async (t) => {
  const parts = await everything()
  t.ok(parts.size > assets.length + 1, 'what is not needed for the first page is loaded later')
  const bytes = [...parts.values()].reduce((sum, body) => sum + gzipSync(body, { level: 9 }).length, 0)
  t.ok(bytes < mostBytes, `${bytes} bytes`)
})

t.test('nothing on the page is allowed but what comes from the panel', async (t) => {
  const { headers } = await get('/')
  const policy = headers['content-security-policy'] ?? ''
  t.match(policy, /default-src 'none'/)
  t.match(policy, /frame-ancestors 'none'/)
  t.notMatch(policy, /unsafe|\*|https?:/)
  t.notMatch(page, /<script(?![^>]*\ssrc=)|\sstyle=|\son\w+=|<style/i)
  t.match(headers['referrer-policy'], 'no-referrer')
  t.match(headers['x-content-type-options'], 'nosniff')
})

t.test('the page is asked for again each time, its parts never', async (t) => {
  const first = await get('/')
  t.equal(first.headers['cache-control'], 'no-cache')
  const again = await get('/', { 'if-none-match': first.headers['etag'] ?? '' })
  t.match(again, { status: 304, body: { length: 0 } })
  for (const path of assets.filter((path) => /\.(js|css)$/.test(path))) {
    t.match((await get(path)).headers['cache-control'], /immutable/, path)
  }
})

t.test('it is sent gzipped to whoever takes that, and as it is to others', async (t) => {
  const script = assets.find((path) => /app-\w+\.js$/.test(path)) ?? ''
  const plain = await get(script)
  const packed = await get(script, { 'accept-encoding': 'br, gzip' })
  t.equal(plain.headers['content-encoding'], undefined)
  t.equal(packed.headers['content-encoding'], 'gzip')
  t.match(packed.headers['vary'], /accept-encoding/i)
  t.ok(gunzipSync(packed.body).equals(plain.body))
  t.ok(packed.body.length < plain.body.length / 2)
})

t.test('every place of the dashboard can be opened by its address, and nothing else', async (t) => {
  for (const path of ['/tunnel/verify?user_code=ABCD-1234', '/devices', '/tunnels/7', '/organisations/x', '/audit']) {
    const { status, body } = await get(path)
    t.equal(status, 200, path)
    t.equal(body.toString(), page, path)
  }
  for (const path of ['/nothing', '/assets/nothing.js', '/assets/../package.json', '/assets/%2e%2e/main.js']) {
    const { status, headers } = await get(path)
    t.equal(status, 404, path)
    t.match(headers['content-type'], /problem\+json/, path)
  }
})
