import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { extname } from 'node:path'
import { promisify } from 'node:util'
import { constants, gzip } from 'node:zlib'
import { definePlugin, Http, type PluginFactory, version } from '@sallyport/core'

const folder = new URL('./web/', import.meta.url)
/** Where the dashboard's page is: what it shows there is up to its own router (web/src/app.tsx). */
const pages = [
  '/',
  '/tunnel/verify',
  '/reset-password',
  '/devices',
  '/tunnels',
  '/tunnels/:id',
  '/relays',
  '/keys',
  '/account',
  '/users',
  '/users/:id',
  '/organisations',
  '/organisations/:id',
  '/settings',
  '/audit',
]
const contentTypes: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
}
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ')

interface Asset {
  readonly name: string
  readonly body: Buffer
  readonly compressed: Buffer
  readonly headers: Readonly<Record<string, string>>
}

/** Serves the dashboard: its page, and what that is made of under `/assets/`. */
export const dashboard: PluginFactory = definePlugin({
  name: '@sallyport/reference-server.dashboard',
  version,
  requires: { http: Http },
  async setup({ services: { http } }) {
    const assets = await Promise.all((await readdir(folder)).filter((name) => !name.startsWith('.')).map(readAsset))
    http.plugin(async (app) => {
      for (const asset of assets) {
        for (const url of asset.name === 'index.html' ? pages : [`/assets/${asset.name}`]) {
          app.get(url, async (request, reply) => {
            reply.headers(asset.headers)
            if (request.headers['if-none-match'] === asset.headers['etag']) return reply.code(304).send()
            if (!/\bgzip\b/.test(String(request.headers['accept-encoding']))) return reply.send(asset.body)
            return reply.header('content-encoding', 'gzip').send(asset.compressed)
          })
        }
      }
    })
  },
})

async function readAsset(name: string): Promise<Asset> {
  const body = await readFile(new URL(name, folder))
  const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`
  const headers = {
    etag,
    vary: 'accept-encoding',
    'content-type': contentTypes[extname(name)] ?? 'application/octet-stream',
    // A bundle's name changes with what is in it.
    'cache-control': /-[A-Z0-9]{8}\.(?:js|css)$/.test(name) ? 'public, max-age=31536000, immutable' : 'no-cache',
    'content-security-policy': contentSecurityPolicy,
    'referrer-policy': 'no-referrer',
  }
  return { name, body, compressed: await promisify(gzip)(body, { level: constants.Z_BEST_COMPRESSION }), headers }
}
