import { isDatabaseUnavailable } from '../database/unavailable.js'
import { coreErrors } from '../errors.js'
import { isSallyportError, type SallyportError } from '../kernel/errors.js'

/** Gives the catalogued error that a thrown thing becomes for the client; what nobody foresaw is a 500. */
export function toCatalogued(error: unknown, bodyLimit: number): SallyportError {
  if (isSallyportError(error)) return error
  if (!(error instanceof Error)) return coreErrors.INTERNAL(undefined, { cause: error })
  if (isDatabaseUnavailable(error)) {
    return coreErrors.UNAVAILABLE({ reason: 'The database is not available' }, { cause: error })
  }
  const { code, statusCode, expose } = error as { code?: unknown; statusCode?: unknown; expose?: unknown }
  const fromFastify = typeof code === 'string' && code.startsWith('FST_')
  const status = typeof statusCode === 'number' ? statusCode : 500
  if (fromFastify) return fromFramework(error, code, status, bodyLimit)
  // Libraries in the manner of `http-errors` mark what may be told; any other `statusCode` may be of an inner call.
  if (expose === true) return byStatus(status, error, bodyLimit)
  if (isBrokenBody(error)) return coreErrors.BAD_REQUEST({ reason: 'The body did not arrive whole' }, { cause: error })
  return coreErrors.INTERNAL(undefined, { cause: error })
}

function fromFramework(error: Error, code: string, status: number, bodyLimit: number): SallyportError {
  switch (code) {
    case 'FST_ERR_CTP_INVALID_JSON_BODY':
    case 'FST_ERR_CTP_EMPTY_JSON_BODY':
      return coreErrors.MALFORMED_JSON(undefined, { cause: error })
    case 'FST_ERR_BAD_URL':
      return coreErrors.BAD_REQUEST({ reason: 'The URL is not valid' }, { cause: error })
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
      return coreErrors.BAD_REQUEST({ reason: 'The body is not as long as Content-Length says' }, { cause: error })
    default:
      return byStatus(status, error, bodyLimit)
  }
}

function byStatus(status: number, cause: Error, bodyLimit: number): SallyportError {
  switch (status) {
    case 401:
      return coreErrors.UNAUTHENTICATED(undefined, { cause })
    case 403:
      return coreErrors.FORBIDDEN(undefined, { cause })
    case 404:
      return coreErrors.NOT_FOUND(undefined, { cause })
    case 408:
      return coreErrors.REQUEST_TIMEOUT(undefined, { cause })
    case 413:
      return coreErrors.PAYLOAD_TOO_LARGE({ limit: bodyLimit }, { cause })
    case 414:
      return coreErrors.URI_TOO_LONG(undefined, { cause })
    case 415:
      return coreErrors.UNSUPPORTED_MEDIA_TYPE(undefined, { cause })
    case 429:
      return coreErrors.TOO_MANY_REQUESTS(undefined, { cause })
    case 503:
      return coreErrors.UNAVAILABLE({ reason: 'A part is not available' }, { cause })
    default:
      if (status >= 400 && status < 500)
        return coreErrors.BAD_REQUEST({ reason: 'The request is not valid' }, { cause })
      return coreErrors.INTERNAL(undefined, { cause })
  }
}

/** The client went away, or its chunks were malformed, while the body was being read. */
function isBrokenBody(error: Error): boolean {
  const code = 'code' in error ? String(error.code) : ''
  return code === 'ECONNRESET' || code === 'ERR_STREAM_PREMATURE_CLOSE' || code.startsWith('HPE_')
}
