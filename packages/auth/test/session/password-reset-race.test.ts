import { missingPostgres, skipWithout, startPostgres } from '@sallyport/core/testing'
import t from 'tap'
import { directory } from '../../dist/index.js'
import { createMailbox } from '../support/mailbox.js'
import { startPanel } from '../support/panel.js'
import { startPanelProcess } from '../support/panel-process.js'

const administrator = { email: 'admin@localhost', password: 'correct horse battery' }
const attempts = 50

t.test(
  'of one token redeemed by many in two processes, one wins',
  {
    skip: skipWithout('Postgres', missingPostgres()),
  },
  async (t) => {
    const postgres = await startPostgres()
    t.teardown(() => postgres[Symbol.asyncDispose]())
    const mailbox = createMailbox()
    const here = await startPanel(t, {
      databaseUrl: postgres.url,
      users: directory({ firstAdministrator: administrator }),
      mailer: mailbox.plugin,
    })
    const there = await startPanelProcess(t, { databaseUrl: postgres.url })
    const { status } = await here.call('POST', '/api/auth/password-reset/request', {
      body: { email: administrator.email },
    })
    t.equal(status, 200)
    const token = /#token=([\w-]+)/.exec((await mailbox.take(administrator.email)).text)?.[1]
    const answers = await Promise.all(
      Array.from({ length: attempts }, (_, n) => {
        const { call } = n % 2 === 0 ? here : there
        return call('POST', '/api/auth/password-reset/confirm', { body: { token, password: `password number ${n}` } })
      }),
    )
    const statuses = answers.map((answer) => answer.status)
    t.same(
      statuses.filter((one) => one !== 401),
      [200],
    )
    const winner = statuses.indexOf(200)
    for (const [n, expected] of [
      [winner, 200],
      [winner === 0 ? 1 : 0, 401],
    ] as const) {
      const body = { email: administrator.email, password: `password number ${n}` }
      t.equal((await there.call('POST', '/api/auth/login', { body })).status, expected)
    }
  },
)
