import { type ServerFailure, whyUnreachable } from '../unreachable.js'
import type { ServerAddress } from './server-url.js'

/** Says in one line why a server cannot be used; never with the password. */
export function describeUnreachable(error: unknown, { client, password }: ServerAddress): string {
  const place = client.host?.startsWith('/') ? `${client.host} (port ${client.port})` : `${client.host}:${client.port}`
  return whyUnreachable(error, { place, password }, ({ code }: ServerFailure) => {
    switch (code) {
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
      default:
        return undefined
    }
  })
}
