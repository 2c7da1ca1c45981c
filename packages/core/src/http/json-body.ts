import { isUtf8 } from 'node:buffer'
import { Readable } from 'node:stream'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { coreErrors } from '../errors.js'

/** `application/json`, and what derives from it (RFC 6839 section 3.1). */
const jsonTypes = /^application\/([\w.+-]+\+)?json\s*(;|$)/i

/**
 * Lets an encapsulated app take JSON bodies and no others: malformed ones and such as would reach a prototype are
 * refused, an empty one is none.
 */
export function acceptJson(app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  const parse = app.getDefaultJsonParser('error', 'error')
  app.addContentTypeParser(jsonTypes, { parseAs: 'buffer' }, (request, body: Buffer, done) => {
    if (body.length === 0) done(null, undefined)
    else if (!isUtf8(body)) done(coreErrors.MALFORMED_JSON(), undefined)
    else void parse(request, body.toString('utf8'), done)
  })
  app.addHook('preParsing', (request, _reply, payload, done) => done(null, parsedBefore(request) ?? payload))
}

/**
 * A host of another framework may have read the body before handing the request on; it is then found where
 * `express.json()` and its kind leave it.
 */
function parsedBefore({ raw }: FastifyRequest): Readable | undefined {
  if (!raw.readableEnded || !('body' in raw) || raw.body === undefined) return undefined
  const { body } = raw
  const text = Buffer.isBuffer(body) || typeof body === 'string' ? body : JSON.stringify(body)
  const length = Number(raw.headers['content-length'] ?? Buffer.byteLength(text))
  return Object.assign(Readable.from([text]), { receivedEncodedLength: length })
}
