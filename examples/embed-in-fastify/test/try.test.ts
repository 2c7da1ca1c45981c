// What the program prints for people to try.
import t from 'tap'
import { runScript, startProgram } from './support/program.js'

// The database starts slowly on a busy machine.
t.setTimeout(120_000)

t.test('the commands that it prints do what it says', async (t) => {
  const program = startProgram(t, new URL('../dist/main.js', import.meta.url))
  const [, script = ''] = await program.printed(/Try it, in another terminal:\n\n(# Grace.*\n)$/s)
  t.match(await runScript(script, t.testdir()), [
    { token: String, user: { email: 'grace@example.com' } },
    { servers: [{ name: 'survival' }, { name: 'islands' }] },
    { server: { name: 'survival', restarts: 1 } },
    { statusCode: 404 },
    { token: String, user: { email: 'ada@example.com' } },
    { allocation: { localPort: 25_565, host: 'localhost', status: 'open' } },
    { status: 403, error: 'allocation_refused' },
  ])
  t.equal(await program.stop(), 0, 'and it ends in order')
})
