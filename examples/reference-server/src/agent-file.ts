import { createHash } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { promisify } from 'node:util'
import { constants, gzip } from 'node:zlib'
import { defineErrors, definePlugin, type ErrorCatalogue, Http, type PluginFactory, version } from '@sallyport/core'

/** In the npm package it lies beside what is imported (packages/relay, `files`); in a clone scripts/bundle.mjs makes it. */
const file = new URL('./sallyport.mjs', import.meta.resolve('@sallyport/relay'))

const definitions = {
  AGENT_FILE_MISSING: {
    status: 404,
    error: 'agent_file_missing',
    message:
      "This panel's copy of sallyport.mjs is not built: whoever runs the panel makes it with 'node scripts/bundle.mjs'",
  },
} as const
const errors: ErrorCatalogue<typeof definitions> = defineErrors('REFERENCE', definitions)

interface AgentFile {
  readonly body: Buffer
  readonly compressed: Buffer
  readonly etag: string
}

/** Serves the agent and the relay as one file at `/sallyport.mjs`: a home machine then needs nothing but Node.js. */
export const agentFile: PluginFactory = definePlugin({
  name: '@sallyport/reference-server.agent-file',
  version,
  requires: { http: Http },
  setup({ services: { http } }) {
    const current = createReader()
    http.plugin(async (app) => {
      app.get('/sallyport.mjs', async (request, reply) => {
        const found = await current()
        if (!found) throw errors.AGENT_FILE_MISSING()
        reply.headers({
          etag: found.etag,
          vary: 'accept-encoding',
          'content-type': 'text/javascript; charset=utf-8',
          'content-disposition': 'attachment; filename="sallyport.mjs"',
          // An update of the panel brings another one.
          'cache-control': 'no-cache',
        })
        if (request.headers['if-none-match'] === found.etag) return reply.code(304).send()
        if (!/\bgzip\b/.test(String(request.headers['accept-encoding']))) return reply.send(found.body)
        return reply.header('content-encoding', 'gzip').send(found.compressed)
      })
    })
  },
})

/** Gives the file as it is now, undefined while there is none; it is read again only when it was written again. */
function createReader(): () => Promise<AgentFile | undefined> {
  let reading: Promise<AgentFile> | undefined
  let readOf: number | undefined
  return async () => {
    const writtenAt = await stat(file).then(
      ({ mtimeMs }) => mtimeMs,
      () => undefined,
    )
    if (writtenAt === undefined) return undefined
    if (reading === undefined || readOf !== writtenAt) {
      readOf = writtenAt
      reading = read()
      reading.catch(() => {
        readOf = undefined
      })
    }
    return reading
  }
}

async function read(): Promise<AgentFile> {
  const body = await readFile(file)
  const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`
  return { body, etag, compressed: await promisify(gzip)(body, { level: constants.Z_BEST_COMPRESSION }) }
}
