import { version } from '../version.js'
import { docsPage, docsPolicy } from './docs-page.js'
import type { HttpEngine } from './engine.js'
import type { Http } from './http.js'
import { openApiDocument } from './openapi.js'

/** Adds `GET /api/openapi.json` and `GET /api/docs`. Both are made when asked for: by then every route is known. */
export function addDocsRoutes(http: Http, engine: HttpEngine): void {
  let document: string | undefined
  let page: string | undefined

  http.route({
    method: 'GET',
    url: '/api/openapi.json',
    access: 'public',
    tag: 'Documentation',
    summary: 'This API as OpenAPI 3.1',
    handler: ({ reply }) => {
      const { strategies } = engine.authenticator
      document ??= JSON.stringify(
        openApiDocument(engine.table.routes, { version, serverUrl: http.publicUrl, strategies }),
      )
      return reply.type('application/json; charset=utf-8').send(document)
    },
  })
  http.route({
    method: 'GET',
    url: '/api/docs',
    access: 'public',
    tag: 'Documentation',
    summary: 'This API for people',
    produces: 'text/html',
    handler: ({ reply }) => {
      page ??= docsPage(engine.table.routes, version)
      reply.type('text/html; charset=utf-8').header('content-security-policy', docsPolicy)
      return page
    },
  })
}
