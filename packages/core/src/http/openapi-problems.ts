import { STATUS_CODES } from 'node:http'

/** Schema of every error answer (RFC 9457). */
export const problemSchema: object = {
  type: 'object',
  required: ['type', 'title', 'status', 'detail', 'error', 'requestId'],
  properties: {
    type: { type: 'string', description: 'URN of the kind of error' },
    title: { type: 'string', description: 'The status in words' },
    status: { type: 'integer' },
    detail: { type: 'string', description: 'What happened, for people' },
    error: { type: 'string', description: 'What happened, for programs: a snake_case code' },
    requestId: { type: 'string', description: 'Id under which the request is logged' },
    errors: {
      type: 'array',
      description: 'The refused fields',
      items: {
        type: 'object',
        required: ['path', 'message'],
        properties: {
          path: { type: 'string', description: 'RFC 6901 pointer to the field' },
          message: { type: 'string' },
        },
      },
    },
  },
}

const retryAfter = {
  'Retry-After': { description: 'Seconds until it is worth trying again', schema: { type: 'integer' } },
}
const headers: Readonly<Record<string, object>> = {
  401: { 'WWW-Authenticate': { description: 'Schemes that are taken', schema: { type: 'string' } } },
  429: retryAfter,
  503: retryAfter,
}

/** The error answers, shared by all operations. */
export const problemResponses: Readonly<Record<string, object>> = Object.fromEntries([
  ...['400', '401', '403', '404', '413', '415', '429', '503'].map((status) => [status, response(status)]),
  ['default', response('default')],
])

function response(status: string): object {
  return {
    description: STATUS_CODES[status] ?? 'Any other error',
    ...(headers[status] ? { headers: headers[status] } : {}),
    content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
  }
}
