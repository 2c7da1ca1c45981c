import pg, { type ClientConfig } from 'pg'
import type { ServerAddress } from './server-url.js'

/**
 * Reads how a host's own pool connects.
 * @param given a `pg.Pool`, or settings as `pg.Client` takes them
 * @throws TypeError for anything else that connects, such as a client or a Sequelize
 */
export function readHostConnection(given: object): ServerAddress {
  const settings = settingsOf(given)
  // A pool's options do not enumerate it.
  const { password } = settings
  const ssl = readTls(settings.ssl)
  const named = {
    application_name: 'sallyport',
    ...settings,
    ...(password !== undefined && { password }),
    ...(ssl !== undefined && { ssl }),
  }
  // Only to read what a connection string and the environment say; it is never connected.
  const { stream: _, ...readable } = named
  const { host, port, user, database, password: found } = new pg.Client(readable)
  return {
    client: { ...named, host, port, ...(user !== undefined && { user }), ...(database !== undefined && { database }) },
    password: typeof found === 'string' ? found : '',
  }
}

function settingsOf(given: object): ClientConfig {
  // Not by its class: the host's may be another copy of the driver.
  if ('totalCount' in given && 'options' in given && isObject(given.options)) return given.options
  const prototype: unknown = Object.getPrototypeOf(given)
  // Taken for settings it would be another server's: whatever the environment says.
  if ((prototype !== Object.prototype && prototype !== null) || 'query' in given) {
    throw new TypeError('connectLike is neither a pg.Pool nor settings as pg.Client takes them')
  }
  return given
}

/** A copy: the driver makes the key not enumerable, and what configuration gives is frozen. */
function readTls(ssl: ClientConfig['ssl']): ClientConfig['ssl'] {
  return isObject(ssl) ? { ...ssl, ...(ssl.key !== undefined && { key: ssl.key }) } : ssl
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}
