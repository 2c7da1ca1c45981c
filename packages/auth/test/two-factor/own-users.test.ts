import type { DirectoryChange, DirectoryUser, UserDirectory } from '@sallyport/core'
import t from 'tap'
import { createMailbox } from '../support/mailbox.js'
import { enrol, login, startTwoFactorPanel, tempTokenOf, verifyLogin } from './support.js'

const password = 'correct horse battery'

/** Users without stamps, whose ids are no UUIDs, kept where they can be changed. */
function createPeople() {
  const people = new Map<string, DirectoryUser>()
  const handlers = new Set<(change: DirectoryChange) => void | Promise<void>>()
  const find = (email: string) => [...people.values()].find((one) => one.email === email.toLowerCase())
  const directory: UserDirectory = {
    findById: async (id) => people.get(id),
    findByEmail: async (email) => find(email),
    verifyPassword: async (email, given) => (given === password ? find(email) : undefined),
    onChange(handler) {
      handlers.add(handler)
      return () => void handlers.delete(handler)
    },
  }
  const put = (id: string, change: Partial<DirectoryUser> = {}): void => {
    const email = `user-${id.length}@example.com`
    people.set(id, { id, email, name: null, permissions: [], memberships: [], suspended: false, ...change })
  }
  return {
    directory,
    people,
    put,
    tell: async (userId: string, change: DirectoryChange['change']) => {
      for (const handler of handlers) await handler({ userId, change })
    },
  }
}

t.test("a host's own users", async (t) => {
  const { directory, people, put, tell } = createPeople()
  const mailbox = createMailbox()
  const { call } = await startTwoFactorPanel(t, { users: directory, mailer: mailbox.plugin })
  const id = `7' OR 1=1 -- ${'x'.repeat(300)}`
  put(id)
  const credentials = { email: (people.get(id) as DirectoryUser).email, password }
  const user = await enrol(call, credentials)
  const tempToken = await tempTokenOf(call, user)
  t.equal((await verifyLogin(call, { tempToken, token: await user.app.next() })).status, 200)

  await t.test('end what was begun when they tell of a new password', async (t) => {
    const [first, second] = [await tempTokenOf(call, user), await tempTokenOf(call, user)]
    await tell(id, 'permissions')
    t.equal((await verifyLogin(call, { tempToken: first, backupCode: user.recoveryCodes[0] })).status, 200)
    await tell(id, 'password')
    t.equal((await verifyLogin(call, { tempToken: second, backupCode: user.recoveryCodes[1] })).status, 401)
  })

  await t.test('who are suspended or gone are not let in, told or not', async (t) => {
    const suspended = await tempTokenOf(call, user)
    put(id, { suspended: true })
    t.equal((await verifyLogin(call, { tempToken: suspended, backupCode: user.recoveryCodes[1] })).status, 401)
    put(id)
    const gone = await tempTokenOf(call, user)
    people.delete(id)
    t.equal((await verifyLogin(call, { tempToken: gone, backupCode: user.recoveryCodes[1] })).status, 401)
    put(id)
    await tell(id, 'deleted')
    t.ok((await login(call, user)).body.token, 'nothing is left of the second factor')
  })
})
