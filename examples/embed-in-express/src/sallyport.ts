import { apiKey, auth, mappedDirectory, passkey, session, twoFactor } from '@sallyport/auth'
import { createKernel, database, http, type Kernel, keyring } from '@sallyport/core'
import { tunnel } from '@sallyport/tunnel'
import { log, pool, settings, users } from './panel/index.js'

const directory = mappedDirectory({
  ...users, // findById, findByEmail
  ids: 'uuid',
  toUser: ({ banned, may, ...user }) => ({ ...user, suspended: banned, permissions: may.includes('all') ? ['*'] : [] }),
  passwordHash: (user) => user.password,
  sampleHashes: ['$2b$10$n3DQ64X9/BalYcDt2dlP5OZwHrdTqW7fQBQs0urvWzwUpTErvWAfW'],
})
const base = [http(settings.http), keyring(settings.keyring), database({ connectLike: pool })]
const signIn = auth({ strategies: [session(), twoFactor(), passkey(), apiKey()], users: directory })
export const sallyport: Kernel = createKernel({ logger: log, plugins: [base, signIn, tunnel(settings.tunnel)] })
