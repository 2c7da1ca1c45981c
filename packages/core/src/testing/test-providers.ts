import { memoryDataDir } from '../database/data-dir.js'
import { Database } from '../database/database.js'
import { database } from '../database/plugin.js'
import { Http } from '../http/http.js'
import { defaultProviders } from '../kernel/defaults.js'
import type { Plugin } from '../kernel/plugin.js'
import { type DefaultProvider, orderPlugins } from '../kernel/registry.js'
import type { ServiceToken } from '../kernel/service.js'
import { Keyring } from '../security/keyring.js'
import { keyring } from '../security/keyring-plugin.js'
import { version } from '../version.js'

/** The same in every test, so that a test may know what was signed. */
const testSecretKey = 'a secret key for tests, known to all'

/** Core's plugins that keep something, set up to keep it in memory. */
const providers: readonly DefaultProvider[] = [
  { token: Database, create: () => database({ dataDir: memoryDataDir }) },
  { token: Keyring, create: () => keyring({ secretKeys: [testSecretKey] }) },
]

/** Adds to `plugins` those of the above that would otherwise be started with a host's settings, and no others. */
export function addTestProviders(
  plugins: readonly Plugin[],
  given: readonly ServiceToken<unknown>[],
  http: boolean,
): readonly Plugin[] {
  const ordered = orderPlugins({ plugins, defaults: defaultProviders(), given, wanted: http ? [Http] : [], version })
  const byDefault = ordered.filter((plugin) => !plugins.includes(plugin))
  const needed = new Set(byDefault.flatMap(({ provides }) => Object.values(provides).map(({ id }) => id)))
  return [...plugins, ...providers.filter(({ token }) => needed.has(token.id)).map(({ create }) => create())]
}
