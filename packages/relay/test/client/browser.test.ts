// The client goes into web pages: it must bundle without a module of Node's, run without Node's globals, and stay small.
import { createContext, Script } from 'node:vm'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import t from 'tap'

const MAX_GZIPPED_BYTES = 5_000

const entry = `
import { createPanelClient, PanelProblem, unwrap } from '@sallyport/relay/client'
Object.assign(globalThis, { createPanelClient, PanelProblem, unwrap })`

t.test('in a page', async (t) => {
  const { outputFiles } = await build({
    stdin: { contents: entry, resolveDir: import.meta.dirname },
    bundle: true,
    write: false,
    // Fails at an import of Node's.
    platform: 'browser',
    format: 'iife',
    target: 'es2023',
    minify: true,
    logLevel: 'silent',
  })
  const [{ contents, text } = { contents: new Uint8Array(), text: '' }] = outputFiles
  const gzipped = gzipSync(contents, { level: 9 }).length
  t.comment(`${contents.length} bytes, gzipped ${gzipped}`)
  t.ok(gzipped <= MAX_GZIPPED_BYTES, `${gzipped} bytes gzipped, of ${MAX_GZIPPED_BYTES}`)

  const asked: string[] = []
  // As a page's: an address is resolved against the page's own.
  class PageRequest extends Request {
    constructor(path: string, init: RequestInit) {
      super(new URL(path, 'https://panel.example'), init)
    }
  }
  const page = createContext({
    ...{ AbortSignal, FormData, Headers, Response, Request: PageRequest, URL },
    location: new URL('https://panel.example/tunnels'),
    fetch: async ({ url }: Request) => {
      asked.push(url)
      return asked.length === 1 ? Response.json({ devices: [] }) : new Response('', { status: 502 })
    },
  })
  new Script(text).runInContext(page)
  const run = (code: string): unknown => new Script(code).runInContext(page)
  t.same(await run(`globalThis.panel = createPanelClient(); unwrap(panel.GET('/api/tunnel/devices'))`), { devices: [] })
  t.same(asked, ['https://panel.example/api/tunnel/devices'], "without a url, the page's own")
  const code = `unwrap(panel.GET('/api/tunnel/devices')).catch((error) => [error instanceof PanelProblem, error.error])`
  t.same(await run(code), [true, 'unavailable'])
})
