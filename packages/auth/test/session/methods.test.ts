import { Authenticator, UserDirectory } from '@sallyport/core'
import t from 'tap'
import { directory, Sessions } from '../../dist/index.js'
import { startPanel } from '../support/panel.js'

const administrator = { email: 'admin@localhost', password: 'correct horse battery' }

t.test('a session says by what its user proved who they are', async (t) => {
  const { kernel, call } = await startPanel(t, { users: directory({ firstAdministrator: administrator }) })
  const admin = await kernel.get(UserDirectory).findByEmail(administrator.email)
  if (!admin) throw new Error('there is no administrator')
  const begin = (methods?: readonly string[]) =>
    kernel.get(Sessions).begin(admin, { ip: '192.0.2.1', userAgent: undefined, ...(methods && { methods }) })
  for (const methods of [['password'], ['password', 'totp'], ['passkey']]) {
    const { token, session } = await begin(methods)
    t.same(session.methods, methods)
    t.same((await call('GET', '/api/auth/session', { token })).body.session.methods, methods)
    const listed = (await call('GET', '/api/auth/sessions', { token })).body.sessions as {
      id: string
      methods: string[]
    }[]
    t.same(listed.find(({ id }) => id === session.id)?.methods, methods)
    const authentication = await kernel.get(Authenticator).authenticate({
      method: 'GET',
      headers: { authorization: `Bearer ${token}` },
      cookies: {},
      ip: '192.0.2.1',
      peer: '192.0.2.1',
    })
    t.match(authentication, { kind: 'authenticated', principal: { session: { id: session.id, methods } } })
  }
  t.same((await begin()).session.methods, ['password'], 'unless told otherwise')
})
