// What the program prints for people to try.
import t from 'tap'
import { runScript, startProgram } from '../../embed-in-fastify/dist-test/support/program.js'

// The database starts slowly on a busy machine.
t.setTimeout(120_000)

t.test('the commands that it prints do what it says', async (t) => {
  const program = startProgram(t, new URL('../dist/main.js', import.meta.url))
  const [, script = ''] = await program.printed(/Try it, in another terminal:\n\n(# Grace.*\n)$/s)
  t.match(await runScript(script, t.testdir()), [
    { token: String, user: { email: 'grace@example.com' } },
    { email: 'grace@example.com', name: 'Grace', may: [] },
    { consoles: [{ name: 'survival', url: '/consoles/survival' }] },
    { error: 'This needs valid credentials' },
    { token: String, user: { email: 'Ada@example.com' } },
    { allocation: { localPort: 25_565, host: 'localhost', status: 'open' } },
  ])
  t.equal(await program.stop(), 0, 'and it ends in order')
})
