// The typed client of @sallyport/relay: its types are those of the routes, and the README's example does what it says.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { within } from '../support/deadline.js'
import { root, startProgram } from '../support/program.js'
import { startSignInPanel } from '../support/sign-in-panel.js'
import { newDevice } from '../support/tunnel/devices.js'

const shown = 'packages/relay/src/client/openapi.ts'

t.test('its types are what the routes say', async (t) => {
  const program = startProgram(process.execPath, [join(root, 'scripts/client.mjs'), '--check'])
  t.teardown(() => program.stop('SIGKILL'))
  const { code } = await within('the check', program.exited, 120_000)
  t.equal(code, 0, `${shown}: npm run client:update\n${program.stderr}`)
})

t.test('the example of the README opens a tunnel, and says what the panel refuses', async (t) => {
  const panel = await startSignInPanel(t, { RELAY_EMBEDDED: 'true' })
  const owner = await panel.newPerson(['tunnels:write'])
  const readme = await readFile(join(root, 'packages/relay/README.md'), 'utf8')
  const code = readme.split('```js\n// open-tunnel.mjs\n')[1]?.split('\n```')[0] ?? ''
  t.match(code, /createPanelClient/)
  const run = async (key: string) => {
    const env = { SALLYPORT_PANEL: panel.url, SALLYPORT_API_KEY: key }
    const program = startProgram(process.execPath, ['--input-type=module', '--eval', code], { env })
    t.teardown(() => program.stop('SIGKILL'))
    const { code: exitCode } = await within('the example', program.exited, 30_000)
    return { exitCode, stdout: program.stdout, stderr: program.stderr }
  }
  const { key } = await panel.newKey(owner, { permissions: ['tunnels:read', 'tunnels:write'] })
  const early = await run(key)
  t.equal(early.exitCode, 1)
  t.match(early.stderr, /^[a-z_]+: \S/)
  const device = await newDevice(panel, { ownerId: owner.id })
  const done = await run(key)
  t.equal(done.exitCode, 0, done.stderr)
  t.match(done.stdout, new RegExp(`^${device.id}  thing  away\nPlayers connect to localhost:\\d+\n$`))
  const refused = await run('nonsense')
  t.equal(refused.exitCode, 1)
  t.match(refused.stderr, /^invalid_\w+: \S/)
  t.notMatch(refused.stderr, /nonsense/)
})
