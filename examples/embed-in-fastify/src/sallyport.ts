import { apiKey, auth, mappedDirectory, passkey, session, twoFactor } from '@sallyport/auth'
import { createKernel, database, http, type Kernel, keyring } from '@sallyport/core'
import { type AllocationAttempt, tunnel } from '@sallyport/tunnel'
import { accounts, log, pool, servers, settings } from './panel/index.js'

const { publicUrl, secretKeys, relay, portRange } = settings
const users = mappedDirectory({
  ...accounts, // findById, findByEmail
  ids: 'integer',
  toUser: ({ role, locked, ...user }) => ({ ...user, suspended: locked, permissions: role === 'admin' ? ['*'] : [] }),
  passwordHash: (account) => account.password_hash,
  sampleHashes: ['$2b$10$n3DQ64X9/BalYcDt2dlP5OZwHrdTqW7fQBQs0urvWzwUpTErvWAfW'],
})
// A customer's tunnels lead to the ports of the customer's own servers.
const decide = async (wish: AllocationAttempt) => ({ allow: await servers.has(wish) })
const base = [http({ publicUrl }), keyring({ secretKeys }), database({ connectLike: pool })]
const signIn = auth({ strategies: [session(), twoFactor(), passkey(), apiKey()], users })
const tunnels = tunnel({ relay, portRange, hooks: { beforeAllocation: { decide } } })
export const sallyport: Kernel = createKernel({ logger: log, plugins: [base, signIn, tunnels] })
