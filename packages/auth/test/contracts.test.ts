import { Authenticator, UserDirectory } from '@sallyport/core'
import { authenticationStrategyContract, userDirectoryContract } from '@sallyport/core/testing'
import t from 'tap'
import { directory, Sessions } from '../dist/index.js'
import { startPanel } from './support/panel.js'

const administrator = { email: 'Admin@localhost', password: 'correct horse battery' }

t.test('contract suites', async (t) => {
  const { kernel, call } = await startPanel(t, { users: directory({ firstAdministrator: administrator }) })
  const users = kernel.get(UserDirectory)
  const sessions = kernel.get(Sessions)
  const strategy = kernel.get(Authenticator).strategies.find(({ name }) => name === 'session')
  const admin = await users.findByEmail(administrator.email)
  if (!strategy || !admin) throw new Error('the panel has no session strategy or no administrator')
  const origin = { ip: '192.0.2.1', userAgent: undefined }
  const { token } = await sessions.begin(admin, origin)
  let counter = 0

  const runner = {
    test: (name: string, body: () => Promise<void>) => t.test(name, async (t) => void (await t.resolves(body()))),
  }

  userDirectoryContract(runner, async () => {
    counter += 1
    const credentials = { email: `Member${counter}@example.org`, password: 'a member of it' }
    await call('POST', '/api/users', { token, body: credentials })
    return {
      directory: users,
      ...credentials,
      addOrganisation: async () =>
        (await call('POST', '/api/organisations', { token, body: { name: 'a team' } })).body.organisation.id,
      removeOrganisation: async (id) => void (await call('DELETE', `/api/organisations/${id}`, { token })),
      suspend: async (id) => void (await call('PATCH', `/api/users/${id}`, { token, body: { suspended: true } })),
    }
  })

  for (const carrier of ['Bearer', 'cookie']) {
    authenticationStrategyContract(runner, async () => {
      const { token: valid, session } = await sessions.begin(admin, origin)
      const ended = await sessions.begin(admin, origin)
      await sessions.revoke(admin.id, ended.session.id)
      const carry = (text: string) =>
        carrier === 'cookie' ? { cookies: { session: text } } : { headers: { authorization: `Bearer ${text}` } }
      return {
        strategy,
        valid: carry(valid),
        invalid: [carry(ended.token), carry(`${valid.slice(0, -4)}AAAA`)],
        foreign: [carry('not-a-token'), { headers: { authorization: 'ApiKey x' } }],
        revoke: async () => void (await sessions.revoke(admin.id, session.id)),
      }
    })
  }
})
