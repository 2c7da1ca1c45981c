/** Where a server was looked for. */
export interface ServerPlace {
  /** Host and port, or the path of a socket; told. */
  readonly place: string
  /** Never told. */
  readonly password: string
}

export interface ServerFailure {
  readonly code: string
  readonly message: string
}

/**
 * Says in one line why a server cannot be used; never with the password.
 * @param refusal puts into words what this kind of server itself answers
 */
export function whyUnreachable(
  error: unknown,
  { place, password }: ServerPlace,
  refusal: (failure: ServerFailure) => string | undefined,
): string {
  const failure = rootOf(error)
  const { code, message } = failure
  const told = password === '' ? message : message.replaceAll(password, '[secret]')
  return refusal(failure) ?? onTheWay(failure, place) ?? `${place}: ${told || code || 'it fails'}`
}

function onTheWay({ code, message }: ServerFailure, place: string): string | undefined {
  switch (code) {
    case 'ECONNREFUSED':
    case 'ENOENT':
      return `nothing listens at ${place}`
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `the host name of ${place} is not known`
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return `there is no way to ${place}`
  }
  return /time(d )?out/i.test(message) ? `${place} does not answer` : undefined
}

/** Drivers wrap what the socket says, each its own way; several addresses of one host give one error for each. */
function rootOf(error: unknown): ServerFailure {
  if (!(error instanceof Error)) return { code: '', message: String(error) }
  const { parent, socketError, code } = error as { parent?: unknown; socketError?: unknown; code?: unknown }
  const inner = parent ?? socketError ?? (error instanceof AggregateError ? error.errors[0] : undefined)
  if (inner instanceof Error && inner !== error) return rootOf(inner)
  return { code: typeof code === 'string' ? code : '', message: error.message || error.name }
}
