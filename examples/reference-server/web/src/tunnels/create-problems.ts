import { PanelProblem } from '../api.js'
import { atLine } from './address-rules.js'
import { type FieldRefusal, refusedFields } from './problems.js'

/** What was asked for, as far as a refusal is about it. */
interface Asked {
  readonly port: number | undefined
  readonly hasRegions: boolean
  readonly textOf: (field: string) => string
}

/** A refusal of a new tunnel in words, at the field that it is about; what is about none stays as it is. */
export function explainRefusal(error: unknown, asked: Asked): unknown {
  if (!(error instanceof PanelProblem)) return error
  if (error.error === 'validation_failed') return withLines(error, asked.textOf)
  if (error.error === 'allocation_refused') return refusedByHook(error)
  const refusal = refusalOf(error, asked)
  return refusal ? refusedFields('The tunnel was not created.', [refusal]) : error
}

/** The same of a change: what is said of a rule is said of its line. */
export function withLines(error: unknown, textOf: (field: string) => string): unknown {
  if (!(error instanceof PanelProblem) || error.errors.length === 0) return error
  const errors = error.errors.map(({ path, message }) => {
    const found = atLine(path, message, textOf)
    return found ? { path: `/${found.field}`, message: found.message } : { path, message }
  })
  const { status, error: code, requestId } = error
  return new PanelProblem({
    status,
    error: code,
    detail: 'Some fields cannot be saved as they are.',
    errors,
    requestId,
  })
}

function refusalOf({ error, detail }: PanelProblem, { port, hasRegions }: Asked): FieldRefusal | undefined {
  switch (error) {
    case 'quota_exceeded':
      return {
        field: 'deviceId',
        message: `${detail}. TCP and UDP together count as two. Delete a tunnel, or ask an administrator for more.`,
      }
    case 'device_not_approved':
    case 'wrong_kind':
      return { field: 'deviceId', message: `${detail}. Choose another.` }
    case 'not_found':
      return { field: 'deviceId', message: 'This device has been deleted. Choose another.' }
    case 'port_taken':
      return { field: 'port', message: `The port ${port} is taken. Choose another, or leave it empty for a free one.` }
    case 'port_out_of_range':
      return { field: 'port', message: `${detail}. Choose another, or leave it empty for a free one.` }
    case 'no_ports_available':
      return {
        field: hasRegions ? 'region' : 'port',
        message: 'All public ports are taken at the moment. Try again later, or delete a tunnel that nobody needs.',
      }
    case 'no_relay_available':
      return hasRegions
        ? {
            field: 'region',
            message: 'No relay is there to carry the tunnel. Try another region, or again in a moment.',
          }
        : undefined
    case 'local_host_invalid':
      return { field: 'localHost', message: 'This is neither a host name nor an IP address.' }
    default:
      return undefined
  }
}

/** The host of the panel decides by rules of its own, and its reason is for people. */
function refusedByHook({ status, error, detail, requestId }: PanelProblem): PanelProblem {
  return new PanelProblem({
    status,
    error,
    detail: detail.replace(/^The allocation is refused/, 'The tunnel is refused'),
    requestId,
  })
}
