import fc from 'fast-check'
import t from 'tap'
import { parseServerUrl } from '../../dist/database/server-url.js'
import { describeUnreachable } from '../../dist/database/unreachable.js'

t.test('reads the parts of a URL', async (t) => {
  t.match(parseServerUrl('postgres://ada:p%40ss%2F%25@db.example:6000/panel?sslmode=no-verify&application_name=x'), {
    password: 'p@ss/%',
    client: {
      user: 'ada',
      password: 'p@ss/%',
      host: 'db.example',
      port: 6000,
      database: 'panel',
      ssl: { rejectUnauthorized: false },
      application_name: 'x',
    },
  })
  t.match(parseServerUrl('postgresql://ada@[::1]/'), {
    client: { host: '::1', port: 5432, database: 'ada', password: '' },
  })
  t.match(parseServerUrl('postgres:///panel?host=/run/postgresql'), { client: { host: '/run/postgresql' } })
  t.equal(parseServerUrl('postgres://h/d').client.ssl, undefined)
  t.same(parseServerUrl('postgres://h/d?sslmode=require').client.ssl, { rejectUnauthorized: true })
})

t.test('refuses what it does not understand, without repeating it', async (t) => {
  const wrong = [
    'mysql://u:hunter2hunter2@h/d',
    'postgres://u:hunter2hunter2@h:99999/d',
    'postgres://u:hunter2hunter2%@h/d',
    'postgres://u:hunter2hunter2@h/d?sslmode=hunter2hunter2',
    'postgres://u:x@h/d?hunter2hunter2=1',
    'hunter2hunter2',
  ]
  for (const url of wrong) {
    const error = t.throws(() => parseServerUrl(url), TypeError) as unknown as Error
    t.notMatch(`${error.message} ${JSON.stringify(error)}`, 'hunter2hunter2')
  }
})

t.test('throws nothing but TypeError', async () => {
  fc.assert(
    fc.property(fc.string(), fc.constantFrom('', 'postgres://', 'postgres://u:p@h/'), (text, before) => {
      try {
        parseServerUrl(before + text)
      } catch (error) {
        if (!(error instanceof TypeError) || /Invalid URL/.test(error.message)) throw error
      }
    }),
    { numRuns: 500 },
  )
})

t.test('no reason holds the password, whatever the server says', async (t) => {
  const address = parseServerUrl('postgres://ada:hunter2hunter2@h/d')
  for (const error of [new Error('no hunter2hunter2'), new AggregateError([new Error('hunter2hunter2 too')]), 'odd']) {
    t.notMatch(describeUnreachable(error, address), 'hunter2hunter2')
  }
})
