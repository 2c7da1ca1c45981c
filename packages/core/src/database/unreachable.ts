import type { ServerAddress } from './server-url.js'

/** Says in one line why a server cannot be used; never with the password. */
export function describeUnreachable(error: unknown, { client, password }: ServerAddress): string {
  const { code, message } = rootOf(error)
  const place = client.host?.startsWith('/') ? `${client.host} (port ${client.port})` : `${client.host}:${client.port}`
  switch (code) {
    case 'ECONNREFUSED':
    case 'ENOENT':
      return `nothing listens at ${place}`
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `the host name ${client.host} is not known`
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return `there is no way to ${place}`
    // invalid_password, invalid_authorization_specification
    case '28P01':
    case '28000':
      return `${place} does not let ${client.user} in with this password`
    // invalid_catalog_name
    case '3D000':
      return `there is no database ${client.database} at ${place}`
    // too_many_connections
    case '53300':
      return `${place} has no connection left`
  }
  if (/time(d )?out/i.test(message)) return `${place} does not answer`
  const told = password === '' ? message : message.replaceAll(password, '[secret]')
  return `${place}: ${told}`
}

/** Sequelize wraps what the driver says; several addresses of one host give one error for each. */
function rootOf(error: unknown): { code: string; message: string } {
  if (!(error instanceof Error)) return { code: '', message: String(error) }
  const { parent } = error as { parent?: unknown }
  if (parent instanceof Error && parent !== error) return rootOf(parent)
  if (error instanceof AggregateError && error.errors.length > 0) return rootOf(error.errors[0])
  const { code } = error as { code?: unknown }
  return { code: typeof code === 'string' ? code : '', message: error.message || error.name }
}
