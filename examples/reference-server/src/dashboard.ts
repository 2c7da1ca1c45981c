import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { extname } from 'node:path'
import { definePlugin, Http, type PluginFactory, version } from '@sallyport/core'

const folder = new URL('../web/', import.meta.url)
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
  readonly type: string
  readonly etag: string
}

/** Serves the dashboard: the page at `/` and where links in mail and on devices lead, the rest of the folder web/ under `/assets/`. */
export const dashboard: PluginFactory = definePlugin({
  name: '@sallyport/reference-server.dashboard',
  version,
  requires: { http: Http },
  async setup({ services: { http } }) {
    const assets = await Promise.all((await readdir(folder)).map(readAsset))
    http.plugin(async (app) => {
      for (const asset of assets) {
        const isPage = asset.name === 'index.html'
        for (const url of isPage ? ['/', '/tunnel/verify', '/reset-password'] : [`/assets/${asset.name}`]) {
          app.get(url, async (request, reply) => {
            reply.headers({
              etag: asset.etag,
              'cache-control': 'no-cache',
              'content-security-policy': contentSecurityPolicy,
              'referrer-policy': 'no-referrer',
            })
            if (request.headers['if-none-match'] === asset.etag) return reply.code(304).send()
            return reply.type(asset.type).send(asset.body)
          })
        }
      }
    })
  },
})

async function readAsset(name: string): Promise<Asset> {
  const body = await readFile(new URL(name, folder))
  const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`
  return { name, body, etag, type: contentTypes[extname(name)] ?? 'application/octet-stream' }
}
